using System.Globalization;

namespace PiPub.Appliance.Updates;

/// <summary>Which of two versions is the newer one: numbers with dots between, and perhaps a suffix of a version before the last (<c>1.2.0-rc1</c>).</summary>
/// <remarks>Reference: Semantic Versioning 2.0.0, 11; suffixes are compared as text, and any number of numbers is taken.</remarks>
public static class VersionOrder
{
    /// <summary>Less than zero when <paramref name="one"/> is older, more when it is newer.</summary>
    public static int Compare(string one, string other)
    {
        var (a, aSuffix) = Split(one);
        var (b, bSuffix) = Split(other);
        for (var i = 0; i < Math.Max(a.Length, b.Length); i++)
        {
            var order = Number(a, i).CompareTo(Number(b, i));
            if (order != 0)
            {
                return order;
            }
        }

        // What has a suffix comes before what has none.
        return (aSuffix.Length, bSuffix.Length) switch
        {
            (0, 0) => 0,
            (0, _) => 1,
            (_, 0) => -1,
            _ => string.CompareOrdinal(aSuffix, bSuffix),
        };
    }

    private static (string[] Numbers, string Suffix) Split(string version)
    {
        ArgumentNullException.ThrowIfNull(version);
        var build = version.IndexOf('+', StringComparison.Ordinal);
        version = (build < 0 ? version : version[..build]).Trim();
        var dash = version.IndexOf('-', StringComparison.Ordinal);
        return ((dash < 0 ? version : version[..dash]).Split('.'), dash < 0 ? "" : version[(dash + 1)..]);
    }

    private static long Number(string[] numbers, int index) =>
        index < numbers.Length && long.TryParse(numbers[index], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
}
