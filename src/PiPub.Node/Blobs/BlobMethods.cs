using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Blobs;

/// <summary>
/// The muxrpc face of the blobs: has, size, get, getSlice, changes and createWants for every peer; add, want, push, ls, rm,
/// and pinning and denying, for the owner's tools.
/// </summary>
/// <remarks>
/// References: ssb-blobs 2.0.1 (inject.js, help.js), multiblob 1.13.8. Error texts are theirs. Bytes travel in pieces of 64 KiB.
/// </remarks>
/// <param name="blobs">The blobs.</param>
/// <param name="exchange">Wants, and who holds what.</param>
/// <param name="box">The box's own identity: what its tools add and want is on its account.</param>
public sealed partial class BlobMethods(BlobCollection blobs, BlobExchange exchange, FeedId box)
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("blobs.has", RpcCallers.Peer, Has);
        methods.Async("blobs.size", RpcCallers.Peer, Size);
        methods.Source("blobs.get", RpcCallers.Peer, GetAsync);
        methods.Source("blobs.getSlice", RpcCallers.Peer, GetSliceAsync);
        methods.Source("blobs.changes", RpcCallers.Peer, ChangesAsync);
        methods.Source("blobs.createWants", RpcCallers.Peer, (request, stream, token) => exchange.TellAsync(request.Session, stream, token));
        methods.Sink("blobs.add", RpcCallers.Owner, AddAsync);
        methods.Async("blobs.want", RpcCallers.Owner, WantAsync);
        methods.Async("blobs.push", RpcCallers.Owner, Push);
        methods.Source("blobs.ls", RpcCallers.Owner, ListAsync);
        methods.Async("blobs.rm", RpcCallers.Owner, Remove);
        methods.Async("blobs.pin", RpcCallers.Owner, (request, _) => Pin(request, true));
        methods.Async("blobs.unpin", RpcCallers.Owner, (request, _) => Pin(request, false));
        methods.Async("blobs.deny", RpcCallers.Owner, Deny);
        methods.Async("blobs.allow", RpcCallers.Owner, Allow);
        methods.Async("blobs.denied", RpcCallers.Owner, Denied);
    }

    // Peers of before createWants ask this way for what they want; so an answer of "no" is also a want heard.
    private ValueTask<RpcBody> Has(RpcRequest request, CancellationToken cancellationToken) =>
        Each(request, id => exchange.HearWant(request.Session, id, BlobWants.Own) is null ? "false" : "true");

    private ValueTask<RpcBody> Size(RpcRequest request, CancellationToken cancellationToken) =>
        Each(request, id => blobs.Size(id)?.ToString(CultureInfo.InvariantCulture) ?? "null");

    private static ValueTask<RpcBody> Each(RpcRequest request, Func<BlobId, string> answer)
    {
        var argument = request.Arg(0);
        if (argument.ValueKind != JsonValueKind.Array)
        {
            return ValueTask.FromResult(RpcBody.Json(answer(OneId(argument, "invalid id:"))));
        }

        var ids = new List<BlobId>(argument.GetArrayLength());
        foreach (var item in argument.EnumerateArray())
        {
            ids.Add(TryGetId(item, out var id) ? id : throw new RpcException("invalid id:" + AsJavaScriptSays(item)));
        }

        var json = new StringBuilder(2 + (6 * ids.Count)).Append('[');
        foreach (var id in ids)
        {
            json.Append(json.Length > 1 ? "," : "").Append(answer(id));
        }

        return ValueTask.FromResult(RpcBody.Json(json.Append(']').ToString()));
    }

    private async Task ChangesAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var changes = Channel.CreateBounded<BlobId>(
            new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest });
        void OnAdded(BlobId id, long size) => changes.Writer.TryWrite(id);

        blobs.Added += OnAdded;
        try
        {
            await foreach (var id in changes.Reader.ReadAllAsync(cancellationToken))
            {
                await stream.WriteAsync(BodyType.Json, Quoted(id), cancellationToken);
            }
        }
        finally
        {
            blobs.Added -= OnAdded;
        }
    }

    private async Task AddAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        BlobId? expected = null;
        if (request.Arg(0) is { ValueKind: JsonValueKind.String } text)
        {
            expected = TryGetId(text, out var given) ? given : throw new RpcException("not a valid hash: " + text.GetString());
        }

        try
        {
            await using var writer = blobs.BeginWrite(long.MaxValue);
            while (await stream.ReadAsync(CancellationToken.None) is { } piece)
            {
                // JavaScript adds strings too, as their UTF-8 bytes.
                var bytes = piece.Type == BodyType.Json && piece.ToJson() is { ValueKind: JsonValueKind.String } json ? Encoding.UTF8.GetBytes(json.GetString()!) : piece.Bytes;
                await writer.WriteAsync(bytes, CancellationToken.None);
            }

            // Whoever hung up after the last byte has added it nevertheless.
            await blobs.CommitAsync(writer, expected, box, isMentioned: true, CancellationToken.None);
        }
        catch (InvalidDataException problem)
        {
            throw new RpcException(expected is null ? "Cannot add blob, it's bigger than blobs.max" : problem.Message, problem);
        }
        catch (IOException problem)
        {
            throw new RpcException($"the blob could not be written: {problem.Message}", problem);
        }
    }

    private async ValueTask<RpcBody> WantAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        await exchange.WantAsync(OneId(request.Arg(0), "invalid id:"), box, cancellationToken);
        return RpcBody.Json("true");
    }

    private ValueTask<RpcBody> Push(RpcRequest request, CancellationToken cancellationToken)
    {
        var id = OneId(request.Arg(0), "invalid hash:");
        exchange.Push(id, box);
        return ValueTask.FromResult(RpcBody.Json("true"));
    }

    private ValueTask<RpcBody> Remove(RpcRequest request, CancellationToken cancellationToken)
    {
        var id = OneId(request.Arg(0), "not valid id:");
        return blobs.Remove(id) ? ValueTask.FromResult(RpcBody.Json("true")) : throw new RpcException($"blob {id} is not held here.");
    }

    private ValueTask<RpcBody> Pin(RpcRequest request, bool pinned)
    {
        var id = OneId(request.Arg(0), "invalid id:");
        return blobs.Pin(id, pinned) ? ValueTask.FromResult(RpcBody.Json("true")) : throw new RpcException($"blob {id} is not held here.");
    }

    private ValueTask<RpcBody> Deny(RpcRequest request, CancellationToken cancellationToken)
    {
        var id = OneId(request.Arg(0), "invalid id:");
        exchange.Deny(id, request.Arg(1) is { ValueKind: JsonValueKind.String } reason ? reason.GetString()! : "");
        return ValueTask.FromResult(RpcBody.Json("true"));
    }

    private ValueTask<RpcBody> Allow(RpcRequest request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(RpcBody.Json(blobs.Allow(OneId(request.Arg(0), "invalid id:")) ? "true" : "false"));

    private ValueTask<RpcBody> Denied(RpcRequest request, CancellationToken cancellationToken)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var (id, reason) in blobs.Denials())
        {
            json.WriteStartObject();
            json.WriteString("id"u8, id.ToString());
            json.WriteString("reason"u8, reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.Flush();
        return ValueTask.FromResult(RpcBody.Json(buffer.WrittenMemory));
    }

    private static BlobId OneId(JsonElement argument, string complaint)
    {
        if (argument.ValueKind == JsonValueKind.Object && argument.TryGetProperty("id"u8, out var inside))
        {
            argument = inside;
        }

        // JavaScript has turned what is no id into null before it complains.
        return TryGetId(argument, out var id) ? id : throw new RpcException(complaint + "null");
    }

    private static bool TryGetId(JsonElement element, out BlobId id)
    {
        id = default;
        return element.ValueKind == JsonValueKind.String && BlobId.TryParse(element.GetString().AsSpan(), out id);
    }

    private static string AsJavaScriptSays(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => Shorten(element.GetString()!),
        JsonValueKind.Undefined => "undefined",
        JsonValueKind.Object => "[object Object]",
        _ => Shorten(element.GetRawText()),
    };

    private static string Shorten(string text) => text.Length <= 100 ? text : text[..100];

    private static byte[] Quoted(BlobId id) => Encoding.ASCII.GetBytes($"\"{id}\"");
}
