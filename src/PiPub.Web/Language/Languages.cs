using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Localization;

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

    internal static RequestLocalizationOptions Options()
    {
        var cultures = Codes.Select(CultureInfo.GetCultureInfo).ToList();
        return new RequestLocalizationOptions
        {
            DefaultRequestCulture = new RequestCulture(cultures[0]),
            SupportedCultures = cultures,
            SupportedUICultures = cultures,
            RequestCultureProviders = [new CookieRequestCultureProvider { CookieName = LanguageEndpoint.CookieName }, new AcceptLanguageHeaderRequestCultureProvider()],
        };
    }
}
