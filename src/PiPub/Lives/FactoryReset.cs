using System.Security.Cryptography;
using PiPub.Configuration;
using PiPub.Storage.Disk;

namespace PiPub.Lives;

/// <summary>
/// Makes a new box of an old one: all that PiPub keeps in its data directory goes, and of the configuration file what the pages
/// write there. Files that PiPub did not make stay, and so do settings that only a person writes (ports, network, ...).
/// </summary>
/// <remarks>
/// Files that hold secrets are overwritten before they go. On an SD card that is best effort, for the card itself may keep old
/// copies; who gives the card away should destroy or encrypt it.
/// </remarks>
internal static class FactoryReset
{
    /// <summary>The name under which it is staged, see <see cref="StartActions"/>.</summary>
    public const string Name = "factory-reset";

    private const int Chunk = 64 * 1024;

    /// <summary>Does it, in a data directory that is locked and otherwise closed. May be done again after it was interrupted.</summary>
    /// <exception cref="IOException">Something cannot be removed.</exception>
    /// <exception cref="UnauthorizedAccessException">Something may not be removed.</exception>
    public static void Apply(string dataDirectory, PiPubOptions options)
    {
        foreach (var (path, isSecret) in BoxContents.In(dataDirectory).ToList())
        {
            var file = Path.Combine(dataDirectory, path);
            if (isSecret)
            {
                Overwrite(file);
            }

            File.Delete(file);
        }

        foreach (var path in BoxContents.DirectoriesIn(dataDirectory).ToList())
        {
            RemoveIfEmpty(Path.Combine(dataDirectory, path));
        }

        ConfigurationFile.Remove(options.ConfigurationFile, ConfigurationTable.Keys.Where(static key => key.IsOnPages).Select(static key => key.Name));
        FileSync.Directory(dataDirectory);
    }

    private static void Overwrite(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
        var noise = RandomNumberGenerator.GetBytes((int)Math.Min(Chunk, file.Length));
        for (var left = file.Length; left > 0; left -= noise.Length)
        {
            file.Write(noise.AsSpan(0, (int)Math.Min(noise.Length, left)));
        }

        file.Flush(flushToDisk: true);
    }

    private static void RemoveIfEmpty(string directory)
    {
        if (new DirectoryInfo(directory).LinkTarget is null && !Directory.EnumerateFileSystemEntries(directory).Any())
        {
            Directory.Delete(directory);
        }
    }
}
