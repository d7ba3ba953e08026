using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PiPub.Web.Access;
using PiPub.Web.Forms;

namespace PiPub.Web.Https;

/// <summary>The certificate of the box's authority for whoever wants to trust it, and the owner's choice of the secure address.</summary>
public static class SecureEndpoints
{
    /// <summary>Where the certificate is: DER, public.</summary>
    public const string AuthorityPath = "/authority.crt";

    /// <summary>Where the owner's choice goes: <c>always</c>, which is <c>on</c> or <c>off</c>.</summary>
    public const string ChoicePath = "/access/secure";

    /// <summary>Serves both.</summary>
    public static void MapSecureConnection(this IEndpointRouteBuilder routes, SecureConnection secure, OwnerAccess access)
    {
        routes.MapGet(AuthorityPath, (RequestDelegate)(context => AuthorityAsync(context, secure))).AllowAnonymous();
        routes.MapForm(ChoicePath, context => ChooseAsync(context, secure, access));
    }

    private static Task AuthorityAsync(HttpContext context, SecureConnection secure)
    {
        if (secure.Authority is not { } authority)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        // The type by which phones know that it is to be installed.
        var bytes = authority.Certificate.RawData;
        context.Response.ContentType = "application/x-x509-ca-cert";
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.CacheControl = "no-cache";
        return context.Response.Body.WriteAsync(bytes, 0, bytes.Length, context.RequestAborted);
    }

    private static async Task ChooseAsync(HttpContext context, SecureConnection secure, OwnerAccess access)
    {
        if (await context.ReadOwnFormAsync() is { } form)
        {
            if (form["always"] != "on")
            {
                secure.SetAlways(false);
            }
            else if (context.Request.IsHttps && SessionAuthentication.SessionOf(context.User) is { } own)
            {
                // Only from there: whoever is here has shown that this browser gets through. What others have signed in with may
                // have been read along until now.
                secure.SetAlways(true);
                access.EndOthers(own);
            }
        }

        context.Response.Redirect("/settings");
    }
}
