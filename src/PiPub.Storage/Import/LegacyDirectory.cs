using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.LegacyLogs;

namespace PiPub.Storage.Import;

/// <summary>A log of another program.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Kind">How it is written.</param>
/// <param name="Length">Its size in bytes.</param>
public sealed record LegacyLogFile(string Path, LegacyLogKind Kind, long Length);

/// <summary>What another Scuttlebutt program has kept in its directory (<c>~/.ssb</c>), as far as it can be brought along.</summary>
/// <remarks>
/// Sources: ssb-server 16.0.1, ssb-db 20.4.1, ssb-db2 8.1.0, ssb-conn-db 1.0.5, ssb-gossip 1.1.1, multiblob 1.13.8. Where things
/// lie: <c>flume/log.offset</c>, <c>db2/log.bipf</c>, <c>secret</c>, <c>blobs/sha256/(2 hex digits)/(62 hex digits)</c>,
/// <c>conn.json</c>, <c>gossip.json</c>. What peers told it in <c>ebt/</c> was told to it, not to this box, and stays behind.
/// </remarks>
public sealed class LegacyDirectory
{
    private const int MaxFound = 50;

    /// <summary>Secrets and address lists beyond this are none, in bytes.</summary>
    public const long MaxSmallFile = 4 * 1024 * 1024;

    private LegacyDirectory(string path) => Path = path;

    /// <summary>The directory, or the one file that was named.</summary>
    public string Path { get; }

    /// <summary>The logs, of which there are two after a move from ssb-db to ssb-db2.</summary>
    public IReadOnlyList<LegacyLogFile> Logs { get; private init; } = [];

    /// <summary>The file with its key pair, or null.</summary>
    public string? SecretPath { get; private init; }

    /// <summary>Where its blobs lie, or null.</summary>
    public string? BlobsPath { get; private init; }

    /// <summary>The files with addresses of others.</summary>
    public IReadOnlyList<string> AddressFiles { get; private init; } = [];

    /// <summary>Bytes of all logs.</summary>
    public long LogBytes => Logs.Sum(static log => log.Length);

    /// <summary>Looks at a directory, or at one log file. Null when there is nothing to bring along.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static LegacyDirectory? Look(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        if (File.Exists(path))
        {
            return Recognise(path) is { } log ? new LegacyDirectory(path) { Logs = [log] } : null;
        }

        if (!Directory.Exists(path))
        {
            return null;
        }

        var found = new LegacyDirectory(path)
        {
            Logs = [.. Existing(path, "flume/log.offset", "log.offset", "db2/log.bipf", "log.bipf").Select(Recognise).OfType<LegacyLogFile>()],
            SecretPath = Existing(path, "secret").FirstOrDefault(),
            BlobsPath = System.IO.Path.Combine(path, "blobs", "sha256") is var blobs && Directory.Exists(blobs) ? blobs : null,
            AddressFiles = [.. Existing(path, "conn.json", "gossip.json")],
        };
        return found.Logs.Count > 0 || found.SecretPath is not null || found.BlobsPath is not null ? found : null;
    }

    /// <summary>Looks at a directory and at those in it, hidden ones too: a stick may hold a whole <c>.ssb</c>.</summary>
    public static IReadOnlyList<LegacyDirectory> LookIn(string path)
    {
        var found = new List<LegacyDirectory>();
        try
        {
            if (Look(path) is { } itself)
            {
                found.Add(itself);
            }
            else if (Directory.Exists(path))
            {
                foreach (var entry in Directory.EnumerateFileSystemEntries(path).Order(StringComparer.Ordinal).Take(MaxFound))
                {
                    if (Look(entry) is { } inside)
                    {
                        found.Add(inside);
                    }
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be read is not offered.
        }

        return found;
    }

    /// <summary>The blobs with their sizes in bytes. Only by their names: the bytes are checked by whoever copies them.</summary>
    public IEnumerable<(BlobId Id, string Path, long Size)> Blobs()
    {
        foreach (var directory in BlobsPath is null ? [] : Directory.EnumerateDirectories(BlobsPath))
        {
            foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
            {
                if (TryReadName(directory, file.Name, out var id))
                {
                    yield return (id, file.FullName, file.Length);
                }
            }
        }
    }

    private static bool TryReadName(string directory, string file, out BlobId id)
    {
        id = default;
        var hex = System.IO.Path.GetFileName(directory) + file;
        Span<byte> bytes = stackalloc byte[32];
        if (hex.Length != 64 || Convert.FromHexString(hex, bytes, out _, out _) != System.Buffers.OperationStatus.Done)
        {
            return false;
        }

        id = new BlobId(bytes);
        return true;
    }

    private static IEnumerable<string> Existing(string path, params IEnumerable<string> names) =>
        names.Select(name => System.IO.Path.Combine(path, name)).Where(File.Exists);

    private static LegacyLogFile? Recognise(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Span<byte> head = stackalloc byte[LegacyLogReader.HeadBytes];
        var length = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return length > 0 && LegacyLogReader.TryRecognise(head[..length], System.IO.Path.GetFileName(path), out var kind)
            ? new LegacyLogFile(path, kind, file.Length)
            : null;
    }
}
