using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.Views;

namespace PiPub.Node.Queries;

/// <summary>
/// What tools written for ssb-server take for granted beside its core: <c>query.read</c>, which finds messages by a pattern,
/// and <c>private.unbox</c>. Such tools do not ask whether they are there, and break off when they are not.
/// </summary>
/// <remarks>
/// Source: ssb-query 2.4.5; ssb-private1 1.0.1. Of the query language only <c>$filter</c> is known. A query reads the messages
/// one by one, in the order of arrival: it is for the owner's tools, not for crowds.
/// </remarks>
/// <param name="store">The messages.</param>
/// <param name="views">The order in which they are asked for.</param>
public sealed class QueryMethods(MessageStore store, IMessageViews views)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Source("query.read", RpcCallers.Owner, ReadAsync);
        methods.Async("private.unbox", RpcCallers.Owner, (_, _) =>
            throw new RpcException("The box cannot read private messages: they are for the people who are named in them."));
    }

    private Task ReadAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        var options = StreamOptions.Read(argument);
        var filters = Filters(argument);

        return MessageStream.ServeAsync(store, views, options, Old, Live, stream, cancellationToken);

        IEnumerable<RpcBody> Old(long until)
        {
            foreach (var position in views.ByArrival(options.Range, options.Reverse, until))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Find(store.Log.Read(position)) is { } found)
                {
                    yield return found;
                }
            }
        }

        IEnumerable<RpcBody> Live(LogRecord record)
        {
            if (Find(record) is { } found)
            {
                yield return found;
            }
        }

        RpcBody? Find(LogRecord record)
        {
            var body = MessageJson.Format(record, resolvedTimestamp: Math.Min(record.Message.Timestamp, record.ReceivedAt));
            using var message = JsonDocument.Parse(body.Bytes);
            return filters.TrueForAll(filter => filter(message.RootElement)) ? body : null;
        }
    }

    private static List<Func<JsonElement, bool>> Filters(JsonElement options)
    {
        var query = options.ValueKind switch
        {
            JsonValueKind.String => options,
            JsonValueKind.Object when options.TryGetProperty("query"u8, out var given) => given,
            _ => default,
        };
        if (query.ValueKind == JsonValueKind.String)
        {
            try
            {
                query = JsonElement.Parse(query.GetString()!);
            }
            catch (JsonException broken)
            {
                throw new RpcException($"The query is no JSON: {broken.Message}", broken);
            }
        }

        var filters = new List<Func<JsonElement, bool>>();
        if (query.ValueKind == JsonValueKind.Array)
        {
            foreach (var stage in query.EnumerateArray())
            {
                filters.Add(stage.ValueKind == JsonValueKind.Object && stage.TryGetProperty("$filter"u8, out var pattern)
                    ? MessageFilter.Compile(pattern)
                    : throw new RpcException("Of the query language only $filter is known here."));
            }
        }

        return filters;
    }
}
