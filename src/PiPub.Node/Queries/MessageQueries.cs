using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.Views;

namespace PiPub.Node.Queries;

/// <summary>
/// What the owner's tools ask about messages: one by its id, and all of them by arrival, by the time they were written,
/// and by type.
/// </summary>
/// <remarks>
/// Source: ssb-db 20.4.1, create.js, extras.js, indexes/feed.js, indexes/links.js. Where ssb-db's createFeedStream reads
/// <c>gt</c> as <c>gte</c> and <c>lte</c> as <c>lt</c>, the names are kept to here. Nothing is decrypted: the box holds
/// no keys but its own.
/// </remarks>
/// <param name="store">The messages.</param>
/// <param name="views">The order in which they are asked for.</param>
public sealed class MessageQueries(MessageStore store, IMessageViews views)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("get", RpcCallers.Owner, GetAsync);
        methods.Source("createLogStream", RpcCallers.Owner, LogStreamAsync);
        methods.Source("createRawLogStream", RpcCallers.Owner, RawLogStreamAsync);
        methods.Source("createSequenceStream", RpcCallers.Owner, SequenceStreamAsync);
        methods.Source("createFeedStream", RpcCallers.Owner, FeedStreamAsync);
        methods.Source("messagesByType", RpcCallers.Owner, MessagesByTypeAsync);
    }

    private async ValueTask<RpcBody> GetAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        var text = argument.ValueKind switch
        {
            JsonValueKind.String => argument.GetString(),
            JsonValueKind.Object => StreamOptions.Text(argument, "id"),
            _ => null,
        };

        // A link may carry ?unbox=(key), for a message that only who has the link can read; what is kept is sent.
        if (!MessageId.TryParse(text.AsSpan(0, Math.Min(MessageId.TextLength, text?.Length ?? 0)), out var id)
            || (text!.Length > MessageId.TextLength && text[MessageId.TextLength] != '?'))
        {
            throw new RpcException("ssb-db.get: key *must* be a ssb message id");
        }

        await views.WaitUntilAsync(store.End, cancellationToken);
        var position = views.PositionOf(id);
        if (position < 0)
        {
            throw new RpcException($"Key not found in database [{id}]");
        }

        var meta = argument.ValueKind == JsonValueKind.Object && (StreamOptions.Flag(argument, "meta") ?? false);
        return MessageJson.Format(store.Log.Read(position), keys: meta);
    }

    private Task LogStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var options = StreamOptions.Read(request.Arg(0));
        return ServeAsync(
            options,
            until => views.ByArrival(options.Range, options.Reverse, until).Select(position => Format(options, store.Log.Read(position))),
            record => options.Covers(record.ReceivedAt) ? [Format(options, record)] : [],
            stream,
            cancellationToken);
    }

    private Task RawLogStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var options = StreamOptions.Read(request.Arg(0));
        return ServeAsync(
            options,
            until => views.ByArrival(options.Range, options.Reverse, until).Select(position => Raw(store.Log.Read(position))),
            record => options.Covers(record.ReceivedAt) ? [Raw(record)] : [],
            stream,
            cancellationToken);
    }

    private async Task SequenceStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        // The flume sequence of JavaScript is a byte offset too; -1 stands for an empty log.
        for (var end = store.End; ; end = store.End)
        {
            var body = JsonBody.Write(end == 0 ? -1 : end, static (json, number) => json.WriteNumberValue(number));
            await stream.WriteAsync(body.Type, body.Bytes, cancellationToken);
            await store.WaitBeyondAsync(end, cancellationToken);
        }
    }

    private Task FeedStreamAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var options = StreamOptions.Read(request.Arg(0));
        return ServeAsync(
            options,
            until => views.ByResolvedTime(options.Range, options.Reverse, until)
                .Select(found => MessageJson.Format(store.Log.Read(found.Position), options.Keys, options.Values, found.Resolved)),
            record => Math.Min(record.Message.Timestamp, record.ReceivedAt) is var resolved && options.Covers(resolved)
                ? [MessageJson.Format(record, options.Keys, options.Values, resolved)]
                : [],
            stream,
            cancellationToken);
    }

    private Task MessagesByTypeAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        var type = argument.ValueKind == JsonValueKind.String ? argument.GetString() : StreamOptions.Text(argument, "type");
        if (type is null)
        {
            throw new RpcException("Param 0 must have a .type of type \"string\"");
        }

        var options = StreamOptions.Read(argument);
        return ServeAsync(
            options,
            until => views.ByType(type, options.Range, options.Reverse, until).Select(position => Format(options, store.Log.Read(position))),
            record => IsOfType(record, type) && options.Covers(record.ReceivedAt) ? [Format(options, record)] : [],
            stream,
            cancellationToken);
    }

    private Task ServeAsync(
        StreamOptions options,
        Func<long, IEnumerable<RpcBody>> old,
        Func<LogRecord, IEnumerable<RpcBody>> live,
        RpcStream stream,
        CancellationToken cancellationToken) =>
        MessageStream.ServeAsync(store, views, options, old, live, stream, cancellationToken);

    private static RpcBody Format(StreamOptions options, LogRecord record) => MessageJson.Format(record, options.Keys, options.Values);

    private static RpcBody Raw(LogRecord record) => JsonBody.Object(record, static (json, record) =>
    {
        json.WriteNumber("seq"u8, record.Position);
        json.WritePropertyName("value"u8);
        json.WriteRawValue(MessageJson.Format(record).Bytes.Span, skipInputValidation: true);
    });

    private static bool IsOfType(LogRecord record, string type) => new MessageContent().Read(record.Message.Value).IndexedType == type;
}
