using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Import;

/// <summary>The progress of an import as JSON: for the command line, and for being remembered.</summary>
public static class ImportJson
{
    private static readonly string[] States = ["none", "running", "finished", "cancelled", "failed"];
    private static readonly string[] Stages = ["messages", "blobs"];
    private static readonly string[] Failures = ["none", "disk-full", "unreadable", "stopped", "identity"];
    private static readonly string[] Kinds = ["invalid", "forked", "gap", "blocked"];

    /// <summary>Writes a progress.</summary>
    public static void Write(Utf8JsonWriter json, ImportProgress progress)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(progress);
        json.WriteStartObject();
        json.WriteString("state"u8, States[(int)progress.State]);
        json.WriteString("stage"u8, Stages[(int)progress.Stage]);
        json.WriteString("name"u8, progress.Name);
        json.WriteNumber("doneBytes"u8, progress.DoneBytes);
        json.WriteNumber("totalBytes"u8, progress.TotalBytes);
        if (progress.Remaining is { } remaining)
        {
            json.WriteNumber("remainingSeconds"u8, Math.Round(remaining.TotalSeconds));
        }

        json.WriteNumber("added"u8, progress.Added);
        json.WriteNumber("known"u8, progress.Known);
        json.WriteNumber("feeds"u8, progress.Feeds);
        json.WriteNumber("refused"u8, progress.Refused);
        json.WriteNumber("otherFormats"u8, progress.OtherFormats);
        json.WriteNumber("deleted"u8, progress.Deleted);
        json.WriteNumber("damages"u8, progress.Damages);
        json.WriteStartArray("damageWords"u8);
        foreach (var words in progress.DamageWords)
        {
            json.WriteStringValue(words);
        }

        json.WriteEndArray();
        json.WriteStartArray("troubles"u8);
        foreach (var trouble in progress.Troubles)
        {
            json.WriteStartObject();
            json.WriteString("feed"u8, trouble.Feed.ToString());
            json.WriteString("kind"u8, Kinds[(int)trouble.Kind]);
            json.WriteNumber("sequence"u8, trouble.Sequence);
            json.WriteNumber("count"u8, trouble.Count);
            json.WriteString("reason"u8, trouble.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("blobs"u8, progress.Blobs);
        json.WriteNumber("blobsKnown"u8, progress.BlobsKnown);
        json.WriteNumber("blobsRefused"u8, progress.BlobsRefused);
        json.WriteNumber("addresses"u8, progress.Addresses);
        if (progress.Identity is { } identity)
        {
            json.WriteString("identity"u8, identity.ToString());
            json.WriteNumber("identitySequence"u8, progress.IdentitySequence);
        }

        if (progress.Problem is { } problem)
        {
            json.WriteString("failure"u8, Failures[(int)progress.Failure]);
            json.WriteString("problem"u8, problem);
        }

        if (progress.EndedAt is { } endedAt)
        {
            json.WriteNumber("endedAt"u8, endedAt.ToUnixTimeMilliseconds());
        }

        json.WriteEndObject();
    }

    internal static string ToText(ImportProgress progress)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Write(json, progress);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Reads what <see cref="ToText"/> wrote; no import where it is anything else.</summary>
    internal static ImportProgress Parse(string? text)
    {
        try
        {
            return text is null ? ImportProgress.None : Read(JsonElement.Parse(text));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return ImportProgress.None;
        }
    }

    private static ImportProgress Read(JsonElement json) => new()
    {
        State = (ImportState)Math.Max(0, Array.IndexOf(States, json.GetProperty("state").GetString())),
        Stage = (ImportStage)Math.Max(0, Array.IndexOf(Stages, json.GetProperty("stage").GetString())),
        Name = json.GetProperty("name").GetString()!,
        DoneBytes = json.GetProperty("doneBytes").GetInt64(),
        TotalBytes = json.GetProperty("totalBytes").GetInt64(),
        Added = json.GetProperty("added").GetInt64(),
        Known = json.GetProperty("known").GetInt64(),
        Feeds = json.GetProperty("feeds").GetInt32(),
        Refused = json.GetProperty("refused").GetInt64(),
        OtherFormats = json.GetProperty("otherFormats").GetInt64(),
        Deleted = json.GetProperty("deleted").GetInt64(),
        Damages = json.GetProperty("damages").GetInt64(),
        DamageWords = [.. json.GetProperty("damageWords").EnumerateArray().Select(static words => words.GetString()!)],
        Troubles = [.. json.GetProperty("troubles").EnumerateArray().Select(ReadTrouble)],
        Blobs = json.GetProperty("blobs").GetInt64(),
        BlobsKnown = json.GetProperty("blobsKnown").GetInt64(),
        BlobsRefused = json.GetProperty("blobsRefused").GetInt64(),
        Addresses = json.GetProperty("addresses").GetInt32(),
        Identity = json.TryGetProperty("identity", out var identity) ? FeedId.Parse(identity.GetString()!) : null,
        IdentitySequence = json.TryGetProperty("identitySequence", out var sequence) ? sequence.GetInt32() : 0,
        Failure = json.TryGetProperty("failure", out var failure) ? (ImportFailure)Math.Max(0, Array.IndexOf(Failures, failure.GetString())) : ImportFailure.None,
        Problem = json.TryGetProperty("problem", out var problem) ? problem.GetString() : null,
        EndedAt = json.TryGetProperty("endedAt", out var at) ? DateTimeOffset.FromUnixTimeMilliseconds(at.GetInt64()) : null,
    };

    private static FeedTrouble ReadTrouble(JsonElement json) => new(
        FeedId.Parse(json.GetProperty("feed").GetString()!),
        (FeedTroubleKind)Math.Max(0, Array.IndexOf(Kinds, json.GetProperty("kind").GetString())),
        json.GetProperty("sequence").GetInt32(),
        json.GetProperty("count").GetInt64(),
        json.GetProperty("reason").GetString()!);
}
