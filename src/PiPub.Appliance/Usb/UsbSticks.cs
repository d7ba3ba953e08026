namespace PiPub.Appliance.Usb;

/// <summary>The USB sticks that are in the machine now.</summary>
/// <param name="directory">Where each appears as a directory; null where none do.</param>
public sealed class UsbSticks(string? directory)
{
    /// <summary>The folder on a stick that backups go to.</summary>
    public const string BackupFolder = "pipub-backup";

    private const int MostSticks = 8;
    private const int MostBundles = 16;
    private const int MostBackups = 64;

    /// <summary>Where they are mounted, in the order of their names.</summary>
    public IReadOnlyList<string> All() => Look(() => directory is not null && Directory.Exists(directory)
        ? [.. Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal).Take(MostSticks)]
        : []);

    /// <summary>Update bundles in the roots of all sticks.</summary>
    public IReadOnlyList<string> Bundles() =>
        [.. All().SelectMany(static stick => Look(() => [.. Directory.EnumerateFiles(stick, "*.raucb").Where(static path => Path.GetFileName(path)[0] != '.').Order(StringComparer.Ordinal).Take(MostBundles)]))];

    /// <summary>
    /// Backups on all sticks, from the newest: in the folder for them, and in the root, where somebody copies a downloaded one to. A
    /// stick is written by whomever: what is no plain file is passed over.
    /// </summary>
    /// <param name="suffix">What their names end with.</param>
    public IReadOnlyList<FileInfo> Backups(string suffix) =>
    [
        .. All().SelectMany(stick => (string[])[Path.Combine(stick, BackupFolder), stick])
            .SelectMany(folder => Look(() => Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder, "*" + suffix).Where(static path => Path.GetFileName(path)[0] != '.').Take(MostBackups)] : []))
            .Select(static path => new FileInfo(path))
            .Where(static file => file is { Exists: true, LinkTarget: null, Length: > 0 })
            .OrderByDescending(static file => file.LastWriteTimeUtc),
    ];

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
