using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>Looking into a value without believing it.</summary>
public static partial class ClassicFeed
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = CanonicalJson.MaxDepth };

    /// <summary>
    /// Who claims to have written a value, and its sequence: cheap, unverified, for deciding whether it is wanted at all.
    /// False when it does not look like a classic message.
    /// </summary>
    public static bool TryPeek(ReadOnlyMemory<byte> wire, out FeedId author, out int sequence)
    {
        var text = wire.Span;
        var at = 0;
        if (Take(text, ref at, "{\"previous\":"u8)
            && (Take(text, ref at, "null"u8) || TakeQuoted(text, ref at, MessageId.TextLength, out _)))
        {
            if (Take(text, ref at, ",\"sequence\":"u8))
            {
                if (TryPeekSequence(text, ref at, out sequence) && Take(text, ref at, ",\"author\":"u8)
                    && TakeQuoted(text, ref at, FeedId.TextLength, out var id) && FeedId.TryParse(id, out author))
                {
                    return true;
                }
            }
            else if (Take(text, ref at, ",\"author\":"u8)
                && TakeQuoted(text, ref at, FeedId.TextLength, out var id) && FeedId.TryParse(id, out author)
                && Take(text, ref at, ",\"sequence\":"u8) && TryPeekSequence(text, ref at, out sequence))
            {
                return true;
            }
        }

        return TryPeekSlowly(text, out author, out sequence);
    }

    /// <summary>
    /// The bare value out of what createHistoryStream and createLogStream wrap as <c>{"key":..,"value":..,"timestamp":..}</c>;
    /// a bare value is given back as it is. False when it is neither.
    /// </summary>
    public static bool TryUnwrap(ReadOnlyMemory<byte> item, out ReadOnlyMemory<byte> value)
    {
        value = item;
        if (item.Span.StartsWith("{\"previous\":"u8))
        {
            return true;
        }

        try
        {
            var reader = new Utf8JsonReader(item.Span, Deep);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            var bare = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bare |= reader.ValueTextEquals("previous"u8);
                var wanted = reader.ValueTextEquals("value"u8);
                if (!reader.Read())
                {
                    return false;
                }

                var start = (int)reader.TokenStartIndex;
                var isObject = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
                if (wanted)
                {
                    value = item[start..(int)reader.BytesConsumed];
                    return isObject;
                }
            }

            return bare;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is how the reader meets a lone surrogate in a key.
            return false;
        }
    }

    private static bool TryPeekSequence(ReadOnlySpan<byte> text, ref int at, out int sequence)
    {
        var start = at;
        var value = 0L;
        while (at < text.Length && at - start < 11 && (uint)(text[at] - '0') <= 9)
        {
            value = (value * 10) + (text[at++] - '0');
        }

        sequence = (int)Math.Min(value, int.MaxValue);
        return value is >= 1 and <= MaxSequence && at < text.Length && text[at] == ',';
    }

    private static bool TryPeekSlowly(ReadOnlySpan<byte> text, out FeedId author, out int sequence)
    {
        author = default;
        sequence = 0;
        if (text.Length > MaxWireBytes)
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(text, Deep);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isAuthor = reader.ValueTextEquals("author"u8);
                var isSequence = reader.ValueTextEquals("sequence"u8);
                if (!reader.Read())
                {
                    return false;
                }

                if (isAuthor && (reader.TokenType != JsonTokenType.String || !FeedId.TryParse(reader.ValueSpan, out author)))
                {
                    return false;
                }

                if (isSequence)
                {
                    if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out var number)
                        || number is < 1 or > MaxSequence || Math.Floor(number) != number)
                    {
                        return false;
                    }

                    sequence = (int)number;
                }

                reader.Skip();
            }

            return sequence > 0 && !author.IsZero;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
