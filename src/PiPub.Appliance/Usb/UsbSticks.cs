namespace PiPub.Appliance.Usb;

/// <summary>The USB sticks that are in the machine now.</summary>
/// <param name="directory">Where each appears as a directory; null where none do.</param>
public sealed class UsbSticks(string? directory)
{
    /// <summary>The folder on a stick that backups go to.</summary>
    public const string BackupFolder = "pipub-backup";

    private const int MostSticks = 8;
    private const int MostBundles = 16;

    /// <summary>Where they are mounted, in the order of their names.</summary>
    public IReadOnlyList<string> All() => Look(() => directory is not null && Directory.Exists(directory)
        ? [.. Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal).Take(MostSticks)]
        : []);

    /// <summary>Update bundles in the roots of all sticks.</summary>
    public IReadOnlyList<string> Bundles() =>
        [.. All().SelectMany(static stick => Look(() => [.. Directory.EnumerateFiles(stick, "*.raucb").Where(static path => Path.GetFileName(path)[0] != '.').Order(StringComparer.Ordinal).Take(MostBundles)]))];

    /// <summary>A stick may be pulled out at any moment.</summary>
    private static List<string> Look(Func<List<string>> look)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
