using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>An EBT session as a person may see it.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="IsClient">True when this side opened it.</param>
/// <param name="Sent">Messages sent.</param>
/// <param name="Received">Messages received that were asked for and new.</param>
public sealed record EbtSessionStatus(FeedId Peer, bool IsClient, long Sent, long Received);

/// <summary>Arguments and answers of the ebt.* calls. Source: ssb-ebt 9.1.2 index.js.</summary>
internal static class EbtMethods
{
    /// <summary>Version 3 and classic feeds, or the error in ssb-ebt's words.</summary>
    public static void CheckReplicateArgs(RpcRequest request)
    {
        var options = request.Arg(0);
        if (options.ValueKind != JsonValueKind.Object
            || !options.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number || version.GetDouble() != 3)
        {
            throw new RpcException("expected ebt.replicate({version: 3})");
        }

        CheckFormat(options);
    }

    /// <summary>The newest sequence of every feed that is held, as plain numbers.</summary>
    public static RpcBody Clock(RpcRequest request, MessageStore store)
    {
        CheckFormat(request.Arg(0));
        var output = new ArrayBufferWriter<byte>();
        output.Write("{"u8);
        Span<byte> id = stackalloc byte[FeedId.TextLength];
        var isFirst = true;
        foreach (var (feed, sequence) in store.Sequences())
        {
            output.Write(isFirst ? "\""u8 : ",\""u8);
            isFirst = false;
            output.Write(id[..feed.Format(id)]);
            output.Write("\":"u8);
            System.Buffers.Text.Utf8Formatter.TryFormat(sequence, output.GetSpan(11), out var digits);
            output.Advance(digits);
        }

        output.Write("}"u8);
        return RpcBody.Json(output.WrittenMemory);
    }

    /// <summary>What peers have of a feed, and who sends it: the shape of ssb-ebt's peerStatus.</summary>
    public static RpcBody PeerStatus(FeedId feed, int sequence, EbtTree tree)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("id", feed.ToString());
            json.WriteNumber("seq", sequence);
            json.WriteStartObject("peers");
            foreach (var session in tree.Sessions)
            {
                if (tree.StatusOf(session, feed) is { } status)
                {
                    json.WriteStartObject(session.Peer.ToString());
                    json.WriteNumber("seq", status.Remote);
                    json.WriteStartObject("replicating");
                    json.WriteBoolean("tx", status.IsSending);
                    json.WriteBoolean("rx", status.IsReceiving);
                    json.WriteNumber("sent", status.Sent);
                    json.WriteNumber("requested", status.Told);
                    json.WriteEndObject();
                    json.WriteEndObject();
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        return RpcBody.Json(output.WrittenMemory);
    }

    private static void CheckFormat(JsonElement options)
    {
        if (options.ValueKind == JsonValueKind.Object && options.TryGetProperty("format", out var format)
            && format.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            && !(format.ValueKind == JsonValueKind.String && format.ValueEquals("classic")))
        {
            var name = format.ToString();
            throw new RpcException("Unknown format: " + (name.Length > 100 ? name[..100] : name));
        }
    }
}
