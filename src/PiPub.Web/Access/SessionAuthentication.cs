using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PiPub.Web.Access;

/// <summary>Takes a browser with a session's cookie for the owner, and leads everybody else to the page where they prove it.</summary>
public sealed class SessionAuthentication(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logs, UrlEncoder encoder, OwnerAccess access)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    /// <summary>The scheme's name.</summary>
    public const string SchemeName = "session";

    /// <summary>The claim that holds the session's number.</summary>
    public const string SessionClaim = "session";

    private const string PlainCookie = "pipub-session";

    /// <summary>Browsers keep it from everything but HTTPS of this very host, and do not let HTTP put another in its place. Source: RFC 6265bis, cookie name prefixes.</summary>
    private const string SecureCookie = "__Host-pipub-session";

    /// <summary>Where to prove that one is the owner: to claim the box while it has none, else to sign in.</summary>
    public static string SignInPage(OwnerAccess access)
    {
        ArgumentNullException.ThrowIfNull(access);
        return access.IsClaimed ? "/sign-in" : "/claim";
    }

    /// <summary>Gives a browser its session.</summary>
    public static void SetCookie(HttpContext context, string token)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.Cookies.Append(NameOf(context), token, Cookie(context, TimeSpan.FromDays(60)));
    }

    /// <summary>Takes it away.</summary>
    public static void DeleteCookie(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.Cookies.Delete(NameOf(context), Cookie(context, null));
    }

    /// <summary>The session of a request; null when there is none.</summary>
    public static long? SessionOf(ClaimsPrincipal user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return long.TryParse(user.FindFirstValue(SessionClaim), out var session) ? session : null;
    }

    /// <inheritdoc/>
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!Request.Cookies.TryGetValue(NameOf(Context), out var token))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        if (access.Find(token, Visitor.AddressOf(Context)) is not { } session)
        {
            return Task.FromResult(AuthenticateResult.Fail("The session has ended."));
        }

        var owner = new ClaimsIdentity([new Claim(ClaimTypes.Name, "owner"), new Claim(SessionClaim, session.Id.ToString())], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(owner), SchemeName)));
    }

    /// <inheritdoc/>
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        // Whoever asks for a page is led on; a script or a program is told.
        if (HttpMethods.IsGet(Request.Method) && Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal))
        {
            Response.Redirect(SignInPage(access));
        }
        else
        {
            Response.StatusCode = StatusCodes.Status401Unauthorized;
        }

        return Task.CompletedTask;
    }

    /// <summary>A browser may come to the same box by both ways: a session of the one is none of the other.</summary>
    private static string NameOf(HttpContext context) => context.Request.IsHttps ? SecureCookie : PlainCookie;

    private static CookieOptions Cookie(HttpContext context, TimeSpan? age) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Secure = context.Request.IsHttps,
        IsEssential = true,
        MaxAge = age,
        Path = "/",
    };
}
