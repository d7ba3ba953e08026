using System.Text.Json;
using PiPub.Configuration;

namespace PiPub.Composition;

/// <summary>
/// The answer to <c>status</c>: how the box is doing. Its last three members (<c>progress</c>, <c>db</c>, <c>sync</c>) are those
/// of ssb-db 20.4.1, which older tools wait for.
/// </summary>
internal sealed class BoxStatus(PiPubOptions options, BoxStorage storage, BoxNode node, TimeProvider time, string version)
{
    private readonly long _startedAt = time.GetTimestamp();

    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("id"u8, storage.Identity.Id.ToString());
        json.WriteString("version"u8, version);
        json.WriteNumber("uptimeSeconds"u8, (long)time.GetElapsedTime(_startedAt).TotalSeconds);
        if (node.HostName() is { } hostName)
        {
            json.WriteString("hostName"u8, hostName);
        }

        json.WriteString("owner"u8, node.Owner.Owner?.ToString() ?? "nobody yet: the first person who uses an invite becomes it");
        json.WriteString("publishing"u8, node.OwnFeed.MayPublish(out var why) ? "ready" : why.ToString());
        json.WriteNumber("feeds"u8, storage.Messages.FeedCount);
        json.WriteNumber("messages"u8, storage.Messages.MessageCount);
        json.WriteNumber("logBytes"u8, storage.Log.End);
        json.WriteNumber("blobBytes"u8, storage.Blobs.TotalBytes);
        json.WriteNumber("blobQuotaBytes"u8, options.BlobQuota);
        json.WriteNumber("blobsWanted"u8, node.BlobExchange.WantCount);
        json.WriteNumber("peersConnected"u8, node.Peers.ConnectedCount);
        json.WriteString("reachable"u8, node.Reachable());
        json.WriteNumber("freeBytes"u8, storage.Directory.FreeBytes);
        if (storage.Views.Failure is { } failure)
        {
            json.WriteString("views"u8, failure.Message);
        }

        WriteForOlderTools(json);
    }

    private void WriteForOlderTools(Utf8JsonWriter json)
    {
        var (target, current) = (storage.Log.End, storage.Views.Progress.IndexedBytes);
        json.WriteStartObject("progress"u8);
        json.WriteStartObject("indexes"u8);
        json.WriteNumber("start"u8, 0);
        json.WriteNumber("current"u8, current);
        json.WriteNumber("target"u8, target);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("db"u8);
        json.WriteEndObject();
        json.WriteStartObject("sync"u8);
        json.WriteNumber("since"u8, target);
        json.WriteStartObject("plugins"u8);
        json.WriteNumber("views"u8, current);
        json.WriteEndObject();
        json.WriteBoolean("sync"u8, current >= target);
        json.WriteEndObject();
    }
}
