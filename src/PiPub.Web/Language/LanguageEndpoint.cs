using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Routing;

namespace PiPub.Web.Language;

/// <summary>Where the form goes with which a browser chooses its language.</summary>
public static class LanguageEndpoint
{
    /// <summary>Where it goes: <c>code</c>, and <c>back</c>, the page to come back to.</summary>
    public const string Path = "/language";

    internal const string CookieName = "pipub-language";

    /// <summary>Takes the form.</summary>
    public static void MapLanguage(this IEndpointRouteBuilder routes) =>
        routes.MapPost(Path, (RequestDelegate)ChooseAsync).AllowAnonymous().WithMetadata(new RequireAntiforgeryTokenAttribute());

    private static async Task ChooseAsync(HttpContext context)
    {
        if (context.Features.Get<IAntiforgeryValidationFeature>() is not { IsValid: true })
        {
            context.Response.Redirect("/");
            return;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var code = form["code"].ToString();
        if (Languages.Codes.Contains(code))
        {
            context.Response.Cookies.Append(
                CookieName,
                CookieRequestCultureProvider.MakeCookieValue(new RequestCulture(code)),
                new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true, MaxAge = TimeSpan.FromDays(400), Path = "/" });
        }

        // Only to a page of the box: //elsewhere.example would be another site.
        var back = form["back"].ToString();
        context.Response.Redirect(back.StartsWith('/') && !back.StartsWith("//", StringComparison.Ordinal) && !back.Contains('\\') ? back : "/");
    }
}
