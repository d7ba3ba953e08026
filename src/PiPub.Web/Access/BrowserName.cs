namespace PiPub.Web.Access;

/// <summary>What a browser calls itself, in words that its owner knows it by.</summary>
/// <remarks>Nearly all claim to be several others, so the most particular name is looked for first (RFC 9110, 10.1.5).</remarks>
public static class BrowserName
{
    private static readonly (string Sign, string Name)[] Browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Vivaldi/", "Vivaldi"), ("DuckDuckGo/", "DuckDuckGo"),
        ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ];

    private static readonly (string Sign, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"), ("Windows", "Windows"), ("Macintosh", "Mac"), ("Linux", "Linux"),
    ];

    /// <summary>The browser and the system it runs on; null for what is not known.</summary>
    public static (string? Browser, string? System) Of(string? userAgent) => (Find(Browsers, userAgent ?? ""), Find(Systems, userAgent ?? ""));

    private static string? Find((string Sign, string Name)[] known, string text)
    {
        foreach (var (sign, name) in known)
        {
            if (text.Contains(sign, StringComparison.Ordinal))
            {
                return name;
            }
        }

        return null;
    }
}
