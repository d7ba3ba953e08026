using System.Globalization;
using Microsoft.Extensions.Localization;
using PiPub.Web.Language;

namespace PiPub.Web.Shell;

/// <summary>Sizes, times and numbers as people read them.</summary>
public static class Amounts
{
    /// <summary>Bytes, such as 1.4 GB. Units are powers of ten, as on the card's label.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = bytes switch
        {
            >= 1_000_000_000 => (bytes / 1e9, "GB"),
            >= 1_000_000 => (bytes / 1e6, "MB"),
            >= 1_000 => (bytes / 1e3, "kB"),
            _ => (bytes, "B"),
        };
        return value.ToString(value < 10 && unit != "B" ? "0.0" : "0", CultureInfo.CurrentCulture) + "\u00A0" + unit;
    }

    /// <summary>A number with a thin space between thousands.</summary>
    public static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture).Replace(",", "\u202F", StringComparison.Ordinal);

    /// <summary>How long, in the two largest units.</summary>
    public static string Duration(IStringLocalizer<Words> words, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(words);
        return time.TotalDays >= 1 ? Days(words, (int)time.TotalDays) + " " + Hours(words, time.Hours)
            : time.TotalHours >= 1 ? Hours(words, time.Hours) + " " + Minutes(words, time.Minutes)
            : time.TotalMinutes >= 1 ? Minutes(words, time.Minutes)
            : Seconds(words, (int)time.TotalSeconds);
    }

    private static string Days(IStringLocalizer<Words> words, int count) => Languages.IsOne(count) ? words["{0} day", count] : words["{0} days", count];

    private static string Hours(IStringLocalizer<Words> words, int count) => Languages.IsOne(count) ? words["{0} hour", count] : words["{0} hours", count];

    private static string Minutes(IStringLocalizer<Words> words, int count) => Languages.IsOne(count) ? words["{0} minute", count] : words["{0} minutes", count];

    private static string Seconds(IStringLocalizer<Words> words, int count) => Languages.IsOne(count) ? words["{0} second", count] : words["{0} seconds", count];
}
