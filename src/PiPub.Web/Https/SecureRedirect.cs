using Microsoft.AspNetCore.Http;

namespace PiPub.Web.Https;

/// <summary>
/// Sends browsers that ask by HTTP to the secure address, once the owner wants it so. What strangers and programs ask for stays as it is:
/// they do not trust the box's authority.
/// </summary>
/// <remarks>
/// Names that the certificate is not good for (a public one, which the owner gave) are left alone, too. The answer is never kept by the
/// browser, and there is no Strict-Transport-Security: after a factory reset the box has another authority, and a browser that
/// remembered either would not let its owner in.
/// </remarks>
public static class SecureRedirect
{
    private static readonly string[] Open = ["/healthz", "/join", "/pair", "/assets", "/language", SecureEndpoints.AuthorityPath];

    /// <summary>Answers with the secure address, or goes on.</summary>
    public static Task SendOnAsync(HttpContext context, RequestDelegate next, SecureConnection secure)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        ArgumentNullException.ThrowIfNull(secure);
        if (context.Request.IsHttps || !secure.IsAlways || IsOpen(context.Request) || !secure.IsFor(context.Request.Host))
        {
            return next(context);
        }

        // A form that was filled in before goes astray with the page that it was on; the page is shown anew.
        var isRead = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        var path = isRead ? context.Request.Path.ToUriComponent() + context.Request.QueryString.ToUriComponent() : "/";
        context.Response.StatusCode = isRead ? StatusCodes.Status307TemporaryRedirect : StatusCodes.Status303SeeOther;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = secure.AddressFor(context.Request.Host)!.TrimEnd('/') + path;
        return Task.CompletedTask;
    }

    private static bool IsOpen(HttpRequest request)
    {
        foreach (var path in Open)
        {
            if (request.Path.StartsWithSegments(path, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return request.Headers.Authorization.Count > 0
            && (request.Path == "/metrics" || request.Path.StartsWithSegments("/api", StringComparison.Ordinal));
    }
}
