using System.Buffers;
using System.Text.Json;
using PiPub.Storage.Disk;

namespace PiPub.Appliance.Updates;

/// <summary>An update that was installed, and what the machine ran when it was.</summary>
/// <param name="Version">The new version.</param>
/// <param name="From">The version before.</param>
/// <param name="Boot">Which start of the machine it was; the new version runs only after another one.</param>
/// <param name="At">When.</param>
public sealed record InstalledUpdate(string Version, string From, string Boot, DateTimeOffset At);

/// <summary>What is remembered of updates: the file <c>update.json</c> in the data directory. It is no truth; without it the box looks again.</summary>
/// <param name="directory">The data directory.</param>
public sealed class UpdateJournal(string directory)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "update.json";

    private const int MaxBytes = 64 * 1024;
    private const int MostFailed = 8;

    private readonly string _path = Path.Combine(directory, FileName);

    /// <summary>When new versions were asked for last.</summary>
    public DateTimeOffset? LastLook { get; private set; }

    /// <summary>What was installed last.</summary>
    public InstalledUpdate? Installed { get; private set; }

    /// <summary>Whether the owner has seen what became of it.</summary>
    public bool IsSeen { get; private set; }

    /// <summary>Versions that did not work here: they are not installed again without being asked for.</summary>
    public IReadOnlyList<string> Failed { get; private set; } = [];

    /// <summary>Reads it.</summary>
    public static UpdateJournal Open(string directory)
    {
        var journal = new UpdateJournal(directory);
        try
        {
            if (File.Exists(journal._path) && new FileInfo(journal._path).Length <= MaxBytes)
            {
                journal.Read(JsonElement.Parse(File.ReadAllBytes(journal._path)));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // Nothing is remembered then.
        }

        return journal;
    }

    /// <summary>Notes when new versions were asked for.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Looked(DateTimeOffset at)
    {
        LastLook = at;
        Write();
    }

    /// <summary>Notes what was installed.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Note(InstalledUpdate? installed)
    {
        (Installed, IsSeen) = (installed, false);
        Write();
    }

    /// <summary>Notes that a version did not work here.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void NoteFailed(string version)
    {
        if (!Failed.Contains(version, StringComparer.Ordinal))
        {
            Failed = [.. Failed.Append(version).TakeLast(MostFailed)];
            Write();
        }
    }

    /// <summary>Notes that the owner has seen what became of the last update.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Seen()
    {
        IsSeen = true;
        Write();
    }

    private void Read(JsonElement file)
    {
        LastLook = file.TryGetProperty("lastLook"u8, out var look) ? look.GetDateTimeOffset() : null;
        IsSeen = file.TryGetProperty("seen"u8, out var seen) && seen.GetBoolean();
        Failed = file.TryGetProperty("failed"u8, out var failed) ? [.. failed.EnumerateArray().Select(static version => version.GetString()!).TakeLast(MostFailed)] : [];
        Installed = file.TryGetProperty("installed"u8, out var installed)
            ? new InstalledUpdate(
                installed.GetProperty("version"u8).GetString()!,
                installed.GetProperty("from"u8).GetString()!,
                installed.GetProperty("boot"u8).GetString()!,
                installed.GetProperty("at"u8).GetDateTimeOffset())
            : null;
    }

    private void Write()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (LastLook is { } look)
            {
                json.WriteString("lastLook"u8, look);
            }

            if (Installed is { } installed)
            {
                json.WriteStartObject("installed"u8);
                json.WriteString("version"u8, installed.Version);
                json.WriteString("from"u8, installed.From);
                json.WriteString("boot"u8, installed.Boot);
                json.WriteString("at"u8, installed.At);
                json.WriteEndObject();
            }

            json.WriteBoolean("seen"u8, IsSeen);
            json.WriteStartArray("failed"u8);
            foreach (var version in Failed)
            {
                json.WriteStringValue(version);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        FileSync.Replace(_path, buffer.WrittenSpan);
    }
}
