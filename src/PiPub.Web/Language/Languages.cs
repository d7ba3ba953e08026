using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Localization;
using Microsoft.Extensions.Primitives;

namespace PiPub.Web.Language;

/// <summary>The languages that the pages speak: that of the browser, or the one chosen there, or English.</summary>
public static class Languages
{
    /// <summary>Their codes, English first.</summary>
    public static IReadOnlyList<string> Codes { get; } = ["en", "de", "fr"];

    /// <summary>What a language calls itself.</summary>
    public static string NameOf(string code) => code switch
    {
        "de" => "Deutsch",
        "fr" => "Français",
        _ => "English",
    };

    /// <summary>Whether a count takes the singular in the language that is spoken now. In French nought does, too.</summary>
    public static bool IsOne(long count) => count == 1 || (count == 0 && CultureInfo.CurrentUICulture.Name == "fr");

    /// <summary>How a language writes words and numbers. The program carries no data of cultures, so what differs stands here.</summary>
    public static CultureInfo CultureOf(string code)
    {
        var culture = (CultureInfo)CultureInfo.GetCultureInfo(code).Clone();
        culture.NumberFormat.NumberDecimalSeparator = code == "en" ? "." : ",";
        return culture;
    }

    internal static RequestLocalizationOptions Options()
    {
        var cultures = Codes.Select(CultureOf).ToList();
        return new RequestLocalizationOptions
        {
            DefaultRequestCulture = new RequestCulture(cultures[0]),
            SupportedCultures = cultures,
            SupportedUICultures = cultures,
            RequestCultureProviders = [new CookieRequestCultureProvider { CookieName = LanguageEndpoint.CookieName }, new AcceptedLanguages()],
        };
    }

    /// <summary>
    /// What the browser asks for, without regions: some say de-AT and nothing else, and the middleware would look for its parent in data of
    /// cultures that the program does not carry.
    /// </summary>
    private sealed class AcceptedLanguages : AcceptLanguageHeaderRequestCultureProvider
    {
        public override async Task<ProviderCultureResult?> DetermineProviderCultureResult(HttpContext httpContext)
        {
            var asked = await base.DetermineProviderCultureResult(httpContext);
            return asked is null ? null : new ProviderCultureResult([.. asked.Cultures.Select(static code => new StringSegment(code.Value!.Split('-')[0]))]);
        }
    }
}
