using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Queries;

/// <summary>
/// What the owner's tools ask about feeds: how far each has come, its newest message, and its messages in order.
/// </summary>
/// <remarks>Source: ssb-db 20.4.1, indexes/last.js, indexes/clock.js, extras.js, create.js.</remarks>
/// <param name="store">The messages.</param>
public sealed class FeedQueries(MessageStore store)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Source("latest", RpcCallers.Owner, LatestAsync);
        methods.Async("getVectorClock", RpcCallers.Owner, (_, _) => new(VectorClock()));
        methods.Async("latestSequence", RpcCallers.Owner, (request, _) => new(LatestSequence(Feed(request.Arg(0)))));
        methods.Async("getLatest", RpcCallers.Owner, (request, _) => new(Latest(Feed(request.Arg(0)))));
        methods.Async("getFeedState", RpcCallers.Owner, (request, _) => new(FeedState(Feed(request.Arg(0)))));
        methods.Async("getAtSequence", RpcCallers.Owner, (request, _) => new(AtSequence(request.Arg(0))));
        methods.Source("createUserStream", RpcCallers.Owner, UserStreamAsync);
    }

    private async Task LatestAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        foreach (var (feed, tip) in store.Tips())
        {
            var newest = store.Log.Read(store.PositionOf(feed, tip.Sequence)).Message;
            var body = JsonBody.Object(newest, static (json, message) =>
            {
                json.WriteString("id"u8, message.Author.ToString());
                json.WriteNumber("sequence"u8, message.Sequence);
                json.WriteNumber("ts"u8, message.Timestamp);
            });
            await stream.WriteAsync(body.Type, body.Bytes, cancellationToken);
        }
    }

    private RpcBody VectorClock() => JsonBody.Object(store.Tips(), static (json, tips) =>
    {
        foreach (var (feed, tip) in tips)
        {
            json.WriteNumber(feed.ToString(), tip.Sequence);
        }
    });

    private RpcBody LatestSequence(FeedId feed) => store.Tip(feed).Sequence is > 0 and var sequence
        ? JsonBody.Write(sequence, static (json, number) => json.WriteNumberValue(number))
        : throw new RpcException("not found:" + feed);

    private RpcBody Latest(FeedId feed) => store.Tip(feed) is { Sequence: > 0 } tip
        ? JsonBody.Object(store.Log.Read(store.PositionOf(feed, tip.Sequence)).Message, static (json, message) =>
        {
            json.WriteString("key"u8, message.Id.ToString());
            json.WritePropertyName("value"u8);
            json.WriteRawValue(message.Value.Span, skipInputValidation: true);
        })
        : RpcBody.Json("null");

    private RpcBody FeedState(FeedId feed) => JsonBody.Object(store.Tip(feed), static (json, tip) =>
    {
        if (tip.Sequence == 0)
        {
            json.WriteNull("id"u8);
        }
        else
        {
            json.WriteString("id"u8, tip.Id.ToString());
        }

        json.WriteNumber("sequence"u8, tip.Sequence);
    });

    /// <summary>Takes <c>[id, sequence]</c> or <c>"id:sequence"</c>.</summary>
    private RpcBody AtSequence(JsonElement argument)
    {
        var (feed, sequence) = argument.ValueKind switch
        {
            JsonValueKind.Array when argument.GetArrayLength() == 2 && argument[1].TryGetInt32(out var number) => (Feed(argument[0]), number),
            JsonValueKind.String when argument.GetString()!.Split(':') is [var id, var digits] && int.TryParse(digits, out var number) => (Feed(id), number),
            _ => throw new RpcException("Param 0 must be [feedId, sequence]"),
        };
        var position = store.PositionOf(feed, sequence);
        return position >= 0
            ? MessageJson.Format(store.Log.Read(position))
            : throw new RpcException($"Key not found in database [{feed},{sequence}]");
    }

    private Task UserStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var options = StreamOptions.Read(request.Arg(0));
        var text = StreamOptions.Text(request.Arg(0), "id");
        if (!FeedId.TryParse(text.AsSpan(), out var feed))
        {
            throw new RpcException("Param 0 must have a .id of type \"feedId\"");
        }

        return MessageStream.ServeAsync(store, null, options, _ => Old(feed, options), Live, stream, cancellationToken);

        IEnumerable<RpcBody> Live(LogRecord record)
        {
            if (record.Message.Author == feed && options.Covers(record.Message.Sequence))
            {
                yield return MessageJson.Format(record, options.Keys, options.Values);
            }
        }
    }

    private IEnumerable<RpcBody> Old(FeedId feed, StreamOptions options)
    {
        var last = store.Tip(feed).Sequence;
        for (var step = 1; step <= last; step++)
        {
            var sequence = options.Reverse ? last + 1 - step : step;
            if (options.Covers(sequence))
            {
                yield return MessageJson.Format(store.Log.Read(store.PositionOf(feed, sequence)), options.Keys, options.Values);
            }
        }
    }

    private static FeedId Feed(JsonElement argument) =>
        argument.ValueKind == JsonValueKind.String ? Feed(argument.GetString()!) : throw new RpcException("Param 0 must be of type feedId");

    private static FeedId Feed(string text) =>
        FeedId.TryParse(text.AsSpan(), out var feed) ? feed : throw new RpcException("Param 0 must be of type feedId");
}
