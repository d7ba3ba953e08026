using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Routing;
using PiPub.Web.Forms;

namespace PiPub.Web.Language;

/// <summary>Where the form goes with which a browser chooses its language.</summary>
public static class LanguageEndpoint
{
    /// <summary>Where it goes: <c>code</c>, and <c>back</c>, the page to come back to.</summary>
    public const string Path = "/language";

    internal const string CookieName = "pipub-language";

    /// <summary>Takes the form.</summary>
    public static void MapLanguage(this IEndpointRouteBuilder routes) =>
        routes.MapForm(Path, ChooseAsync).AllowAnonymous();

    private static async Task ChooseAsync(HttpContext context)
    {
        if (await context.ReadOwnFormAsync() is not { } form)
        {
            context.Response.Redirect("/");
            return;
        }

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
