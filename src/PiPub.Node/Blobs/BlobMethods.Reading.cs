using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Blobs;

/// <content>Handing out bytes, and listing what is held.</content>
public sealed partial class BlobMethods
{
    private async Task GetAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        var id = IdOf(argument, "multiblob.get: {id} is mandatory");
        await SendAsync(request, stream, id, argument, null, cancellationToken);
    }

    private async Task GetSliceAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        var id = IdOf(argument, "multiblob.getSlice: {id} is mandatory");
        var start = Number(argument, "start") ?? throw new RpcException("multiblob.getSlice: {start} must be a number");
        var end = Number(argument, "end") ?? throw new RpcException("multiblob.getSlice: {end} must be a number");
        await SendAsync(request, stream, id, argument, (start, end), cancellationToken);
    }

    private async Task SendAsync(RpcRequest request, RpcStream stream, BlobId id, JsonElement options, (double Start, double End)? slice, CancellationToken cancellationToken)
    {
        if (blobs.Size(id) is not { } size)
        {
            throw new RpcException("could not get blob");
        }

        if (size == 0)
        {
            return;
        }

        var (wanted, max) = (Number(options, "size"), Number(options, "max"));
        if ((wanted is { } exact && exact != size) || max < size)
        {
            var requested = wanted is null ? "undefined" : AsJavaScriptSays(options.GetProperty("size"u8));
            throw new RpcException($"incorrect file length, requested:{requested} file was:{size} for file:{id}");
        }

        var start = (long)Math.Clamp(slice?.Start ?? 0, 0, size);
        var end = (long)Math.Clamp(slice?.End ?? size, start, size);

        // Each blob on its way holds a file and a piece of memory, however many were asked for.
        using var turn = await exchange.TakeTurnAsync(request.Session, cancellationToken);
        await using var file = blobs.OpenRead(id) ?? throw new RpcException("could not get blob");
        if (start > 0)
        {
            file.Seek(start, SeekOrigin.Begin);
        }

        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            for (var left = end - start; left > 0;)
            {
                var read = await file.ReadAtLeastAsync(piece.AsMemory(0, (int)Math.Min(PieceBytes, left)), (int)Math.Min(PieceBytes, left), throwOnEndOfStream: false, cancellationToken);
                if (read == 0)
                {
                    throw new RpcException("could not get blob");
                }

                await stream.WriteAsync(BodyType.Binary, piece.AsMemory(0, read), cancellationToken);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    // Source: pull-live (old, live, sync), multiblob ls (meta, long, size).
    private async Task ListAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var options = request.Arg(0);
        var old = Flag(options, "old") ?? true;
        var live = (Flag(options, "live") ?? false) || !old;
        var meta = (Flag(options, "meta") ?? Flag(options, "long") ?? Flag(options, "size")) == true;
        var news = Channel.CreateBounded<(BlobId Id, long Size)>(
            new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest });
        void OnAdded(BlobId id, long size) => news.Writer.TryWrite((id, size));

        if (live)
        {
            blobs.Added += OnAdded;
        }

        try
        {
            if (old)
            {
                foreach (var blob in blobs.List())
                {
                    await stream.WriteAsync(BodyType.Json, meta ? Meta(blob.Id, blob.Size, blob.Added) : Quoted(blob.Id), cancellationToken);
                }
            }

            if (!live)
            {
                return;
            }

            if (old && Flag(options, "sync") != false)
            {
                await stream.WriteAsync(BodyType.Json, "{\"sync\":true}"u8.ToArray(), cancellationToken);
            }

            await foreach (var (id, size) in news.Reader.ReadAllAsync(cancellationToken))
            {
                await stream.WriteAsync(BodyType.Json, meta ? Meta(id, size, DateTimeOffset.UtcNow) : Quoted(id), cancellationToken);
            }
        }
        finally
        {
            blobs.Added -= OnAdded;
        }
    }

    // As multiblob's getId: id, else key, else hash.
    private static BlobId IdOf(JsonElement argument, string complaint)
    {
        if (argument.ValueKind == JsonValueKind.Object)
        {
            argument = argument.TryGetProperty("id"u8, out var named) || argument.TryGetProperty("key"u8, out named) || argument.TryGetProperty("hash"u8, out named) ? named : default;
        }

        return TryGetId(argument, out var id) ? id : throw new RpcException(complaint);
    }

    private static double? Number(JsonElement options, string name) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : null;

    private static bool? Flag(JsonElement options, string name) =>
        options.ValueKind != JsonValueKind.Object || !options.TryGetProperty(name, out var value)
            ? null
            : value.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Number => value.GetDouble() != 0,
                _ => null,
            };

    private static byte[] Meta(BlobId id, long size, DateTimeOffset added) =>
        Encoding.ASCII.GetBytes($$"""{"id":"{{id}}","size":{{size}},"ts":{{added.ToUnixTimeMilliseconds()}}}""");
}
