using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.Views;

namespace PiPub.Node.Queries;

/// <summary>
/// <c>links</c>: which messages link to what. Items are <c>{"source", "rel", "dest", "key"}</c>, with <c>value</c> if asked
/// for; with <c>meta: false</c> only the key, the value, or both.
/// </summary>
/// <remarks>
/// Source: ssb-db 20.4.1, indexes/links.js. <c>source</c> and <c>dest</c> are an id or a kind (<c>feed</c>, <c>msg</c>,
/// <c>blob</c>, or its sigil). As there, limit and ranges do not apply.
/// </remarks>
/// <param name="store">The messages.</param>
/// <param name="views">Where links are found.</param>
public sealed class LinkQueries(MessageStore store, IMessageViews views)
{
    /// <summary>Offers the method.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Source("links", RpcCallers.Owner, LinksAsync);
    }

    private Task LinksAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        if (request.Arg(0).ValueKind != JsonValueKind.Object)
        {
            throw new RpcException("Param 0 must be of type object");
        }

        var query = Query.Read(request.Arg(0));
        return MessageStream.ServeAsync(
            store,
            views,
            query.Stream,
            until => views.Links(query.Source, query.Rel, query.Dest, query.Stream.Reverse, until).Select(link => Format(query, link, null)),
            record => Live(query, record),
            stream,
            cancellationToken);
    }

    private List<RpcBody> Live(Query query, LogRecord record)
    {
        List<RpcBody>? found = null;
        var source = record.Message.Author;
        if (Matches(query.Source, source.ToString()))
        {
            foreach (var link in new MessageContent().Read(record.Message.Value).Links)
            {
                if (!link.IsNested && (query.Rel is null || query.Rel == link.Rel) && Matches(query.Dest, link.Text))
                {
                    (found ??= []).Add(Format(query, new MessageLink(source, link.Rel, link.Text, record.Position), record));
                }
            }
        }

        return found ?? [];
    }

    private RpcBody Format(Query query, MessageLink link, LogRecord? record)
    {
        record ??= store.Log.Read(link.Position);
        if (!query.Meta)
        {
            return (query.Keys, query.Values) switch
            {
                (true, true) => JsonBody.Object(record, static (json, record) =>
                {
                    json.WriteString("key"u8, record.Message.Id.ToString());
                    WriteValue(json, record);
                }),
                (true, false) => MessageJson.Format(record, keys: true, values: false),
                _ => MessageJson.Format(record, keys: false),
            };
        }

        return JsonBody.Object((query, link, record), static (json, item) =>
        {
            json.WriteString("source"u8, item.link.Source.ToString());
            json.WriteString("rel"u8, item.link.Rel);
            json.WriteString("dest"u8, item.link.Dest);
            if (item.query.Keys)
            {
                json.WriteString("key"u8, item.record.Message.Id.ToString());
            }

            if (item.query.Values)
            {
                WriteValue(json, item.record);
            }
        });
    }

    private static void WriteValue(Utf8JsonWriter json, LogRecord record)
    {
        json.WritePropertyName("value"u8);
        json.WriteRawValue(record.Message.Value.Span, skipInputValidation: true);
    }

    private static bool Matches(string? filter, string id) =>
        filter is null || (filter.Length == 1 ? id[0] == filter[0] : id == filter);

    private sealed record Query(StreamOptions Stream, string? Source, string? Rel, string? Dest, bool Keys, bool Values, bool Meta)
    {
        public static Query Read(JsonElement options)
        {
            var query = new Query(
                StreamOptions.Read(options) with { Limit = -1 },
                Filter(options, "source"),
                StreamOptions.Text(options, "rel"),
                Filter(options, "dest"),
                StreamOptions.Flag(options, "keys") ?? true,
                StreamOptions.Flag(options, "values") ?? false,
                StreamOptions.Flag(options, "meta") ?? true);
            return query.Keys || query.Values || query.Meta
                ? query
                : throw new RpcException("makes no sense to return stream without results, set at least one of {keys, values, meta} to true");
        }

        private static string? Filter(JsonElement options, string name) => StreamOptions.Text(options, name) switch
        {
            null or "" => null,
            "feed" or "@" => "@",
            "msg" or "%" => "%",
            "blob" or "&" => "&",
            var id when LinkTarget.TryParse(id, out _) => id,
            _ => throw new RpcException($".{name} of param 0 must be of type \"id|filter\""),
        };
    }
}
