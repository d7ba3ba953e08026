using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Queries;

/// <summary>
/// A <c>$filter</c> of ssb-query: a pattern that a message must fit, such as <c>{"value":{"content":{"channel":"garden"}}}</c>.
/// </summary>
/// <remarks>
/// Text, numbers and booleans must be equal; <c>{"$prefix": text}</c> must be how the text begins; <c>$lt</c>, <c>$lte</c>,
/// <c>$gt</c> and <c>$gte</c> compare numbers, or texts by their characters' codes; any other object names members that must
/// be there and fit. Source: map-filter-reduce 3.0.0, filter.js.
/// </remarks>
internal static class MessageFilter
{
    /// <summary>Makes a test out of a pattern.</summary>
    public static Func<JsonElement, bool> Compile(JsonElement pattern)
    {
        switch (pattern.ValueKind)
        {
            case JsonValueKind.Object when pattern.TryGetProperty("$prefix"u8, out var prefix):
                if (prefix.ValueKind != JsonValueKind.String)
                {
                    throw new RpcException("$prefix must be a text");
                }

                var start = prefix.GetString()!;
                return value => value.ValueKind == JsonValueKind.String && value.GetString()!.StartsWith(start, StringComparison.Ordinal);
            case JsonValueKind.Object:
                return Bounds(pattern) is { Count: > 0 } bounds ? value => bounds.TrueForAll(bound => bound(value)) : Members(pattern);
            case JsonValueKind.Array:
                return Items(pattern);
            default:
                return value => value.ValueKind == pattern.ValueKind && JsonElement.DeepEquals(value, pattern);
        }
    }

    private static List<Func<JsonElement, bool>> Bounds(JsonElement pattern)
    {
        var bounds = new List<Func<JsonElement, bool>>();
        Add("$lt", static order => order < 0);
        Add("$lte", static order => order <= 0);
        Add("$gt", static order => order > 0);
        Add("$gte", static order => order >= 0);
        return bounds;

        void Add(string name, Func<int, bool> fits)
        {
            if (pattern.TryGetProperty(name, out var bound))
            {
                bounds.Add(value => Compare(value, bound) is { } order && fits(order));
            }
        }
    }

    private static int? Compare(JsonElement value, JsonElement bound) => (value.ValueKind, bound.ValueKind) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => value.GetDouble().CompareTo(bound.GetDouble()),
        (JsonValueKind.String, JsonValueKind.String) => string.CompareOrdinal(value.GetString(), bound.GetString()),
        _ => null,
    };

    private static Func<JsonElement, bool> Members(JsonElement pattern)
    {
        var members = new List<(string Name, Func<JsonElement, bool> Fits)>();
        foreach (var member in pattern.EnumerateObject())
        {
            members.Add((member.Name, Compile(member.Value)));
        }

        return value => value.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null)
            && members.TrueForAll(member => member.Fits(value.ValueKind == JsonValueKind.Object && value.TryGetProperty(member.Name, out var inside) ? inside : default));
    }

    private static Func<JsonElement, bool> Items(JsonElement pattern)
    {
        var items = new List<Func<JsonElement, bool>>();
        foreach (var item in pattern.EnumerateArray())
        {
            items.Add(Compile(item));
        }

        return value =>
        {
            if (value.ValueKind != JsonValueKind.Array)
            {
                return false;
            }

            for (var i = 0; i < items.Count; i++)
            {
                if (!items[i](i < value.GetArrayLength() ? value[i] : default))
                {
                    return false;
                }
            }

            return true;
        };
    }
}
