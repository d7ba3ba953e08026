using Microsoft.AspNetCore.Http;

namespace PiPub.Web.Access;

/// <summary>
/// The cookie that a form's token belongs to. By HTTPS it has another name than by HTTP: a browser keeps what was set securely from
/// being set by HTTP, and a person who comes by both ways could then send no form by the other.
/// </summary>
internal sealed class FormCookie : CookieBuilder
{
    private const string PlainName = "pipub-form";
    private const string SecureName = "__Host-pipub-form";

    private readonly IHttpContextAccessor _requests;

    public FormCookie(IHttpContextAccessor requests)
    {
        _requests = requests;
        (HttpOnly, IsEssential, SameSite, SecurePolicy, Path) = (true, true, SameSiteMode.Strict, CookieSecurePolicy.SameAsRequest, "/");
    }

    /// <inheritdoc/>
    public override string? Name
    {
        get => _requests.HttpContext is { Request.IsHttps: true } ? SecureName : PlainName;
        set => throw new NotSupportedException();
    }
}
