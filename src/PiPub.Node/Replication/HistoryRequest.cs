using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Replication;

/// <summary>
/// What a createHistoryStream call asks for: <c>{"id", "seq" or "sequence", "limit", "live", "old", "keys", "values"}</c>,
/// or the old positional form <c>(id, seq, live)</c>.
/// </summary>
/// <remarks>
/// The sequence is inclusive; callers ask for their newest plus one. Limit counts old and live messages together. 0 and 1
/// pass for booleans, null for not given.
/// Sources: ssb-db 20.4.1 indexes/clock.js; ssb-db2 8.1.0 compat/history-stream.js; SSB protocol guide, createHistoryStream
/// (which says "later than" where every implementation includes).
/// </remarks>
internal readonly record struct HistoryRequest(FeedId Feed, int From, long Limit, bool Old, bool Live, bool Keys, bool Values)
{
    public static HistoryRequest Read(RpcRequest request)
    {
        var first = request.Arg(0);
        if (first.ValueKind == JsonValueKind.String)
        {
            return new HistoryRequest(Id(first), Sequence(request.Arg(1), "1"), -1, true, Flag(request.Arg(2), "2") ?? false, true, true);
        }

        if (first.ValueKind != JsonValueKind.Object)
        {
            throw new RpcException("createHistoryStream needs an object with an id");
        }

        var (seq, sequence) = (Option(first, "seq"), Option(first, "sequence"));
        var from = Sequence(sequence, ".sequence");
        if (IsGiven(seq))
        {
            if (IsGiven(sequence) && Sequence(seq, ".seq") != from)
            {
                throw new RpcException(".seq and .sequence are two names of one thing, and must not differ");
            }

            from = Sequence(seq, ".seq");
        }

        return new HistoryRequest(
            Id(Option(first, "id")),
            from,
            Limited(Option(first, "limit")),
            Flag(Option(first, "old"), ".old") ?? true,
            Flag(Option(first, "live"), ".live") ?? false,
            Flag(Option(first, "keys"), ".keys") ?? true,
            Flag(Option(first, "values"), ".values") ?? true);
    }

    private static bool IsGiven(JsonElement value) => value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    private static JsonElement Option(JsonElement options, string name) => options.TryGetProperty(name, out var value) ? value : default;

    private static FeedId Id(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String && FeedId.TryParse(value.GetString(), out var feed))
        {
            return feed;
        }

        var text = value.ValueKind == JsonValueKind.Undefined ? "undefined" : value.ToString();
        throw new RpcException((text.Length > 100 ? text[..100] : text) + " is not a feed");
    }

    private static int Sequence(JsonElement value, string name) => !IsGiven(value) ? 0 : (int)Math.Clamp(Math.Ceiling(Number(value, name)), 0, int.MaxValue);

    private static long Limited(JsonElement value) => !IsGiven(value) ? -1 : (long)Math.Clamp(Number(value, ".limit"), -1, long.MaxValue / 2);

    private static double Number(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw new RpcException(name + " must be a number");

    private static bool? Flag(JsonElement value, string name) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => value.GetDouble() != 0,
        _ => throw new RpcException(name + " must be a boolean"),
    };
}
