using System.Text.Json;

namespace PiPub.Storage.Views;

/// <summary>
/// What the views need to know of a message's content: its type, and the ids that it links to.
/// </summary>
/// <remarks>
/// Source: ssb-msgs 5.2.0, indexLinks; ssb-ref 2.16.0, isLink; ssb-db 20.4.1, indexes/links.js. Looked at are the content's
/// own members: a text that is an id, an object whose <c>link</c> is one, and lists of these. An id may carry a query
/// (<c>?unbox=...</c>), which stays with it. Encrypted content has neither type nor links.
/// </remarks>
public static class ContentReader
{
    /// <summary>Longer types are cut to this many UTF-16 units, as the field does.</summary>
    public const int MaxTypeLength = 32;

    /// <summary>Reads the content of a message value (compact JSON).</summary>
    /// <param name="value">The value as signed.</param>
    /// <param name="type">The content's type, or null.</param>
    /// <param name="link">Called for each link with the member's name and the id as written; null when only the type matters.</param>
    public static void Read(ReadOnlySpan<byte> value, out string? type, Action<string, string>? link)
    {
        type = null;
        var reader = new Utf8JsonReader(value, new JsonReaderOptions { MaxDepth = 1024 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isContent = Is(ref reader, "content"u8);
            reader.Read();
            if (isContent)
            {
                ReadContent(ref reader, ref type, link);
                return;
            }

            reader.Skip();
        }
    }

    private static void ReadContent(ref Utf8JsonReader reader, ref string? type, Action<string, string>? link)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = Is(ref reader, "type"u8);
            var rel = link is null ? null : Text(ref reader);
            reader.Read();
            if (isType && reader.TokenType == JsonTokenType.String)
            {
                type = Text(ref reader);
                type = type?.Length > MaxTypeLength ? type[..MaxTypeLength] : type;
            }

            if (link is null || rel is null)
            {
                reader.Skip();
            }
            else if (reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    ReadLink(ref reader, rel, link);
                }
            }
            else
            {
                ReadLink(ref reader, rel, link);
            }
        }
    }

    /// <summary>Reads one value, whatever it is, and leaves the reader at its end.</summary>
    private static void ReadLink(ref Utf8JsonReader reader, string rel, Action<string, string> link)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                Take(ref reader, rel, link);
                break;
            case JsonTokenType.StartObject:
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var isLink = Is(ref reader, "link"u8);
                    reader.Read();
                    if (isLink && reader.TokenType == JsonTokenType.String)
                    {
                        Take(ref reader, rel, link);
                    }
                    else
                    {
                        reader.Skip();
                    }
                }

                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static void Take(ref Utf8JsonReader reader, string rel, Action<string, string> link)
    {
        // Most texts are words: their first byte tells, before anything is copied. Nothing in an id is ever escaped.
        if (reader.ValueSpan.Length >= 52 && !reader.ValueIsEscaped && reader.ValueSpan[0] is (byte)'@' or (byte)'%' or (byte)'&')
        {
            var text = reader.GetString()!;
            if (IsLink(text))
            {
                link(rel, text);
            }
        }
    }

    /// <summary>Whether the current name is this one, which in canonical JSON has one spelling.</summary>
    private static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => !reader.ValueIsEscaped && reader.ValueSpan.SequenceEqual(name);

    /// <summary>The current text, or null for half a surrogate pair, which JavaScript signs without a murmur.</summary>
    private static string? Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether a text is the id of a feed, a message or a blob, perhaps with a query behind it.</summary>
    public static bool IsLink(ReadOnlySpan<char> text)
    {
        var query = text.IndexOf('?');
        var id = query < 0 ? text : text[..query];
        return id.Length > 0 && id[0] switch
        {
            '@' => IsId(id, ".ed25519") || IsId(id, ".sha256"),
            '%' or '&' => IsId(id, ".sha256"),
            _ => false,
        };
    }

    /// <summary>A sigil, 32 bytes in canonical base64, and the suffix.</summary>
    private static bool IsId(ReadOnlySpan<char> id, ReadOnlySpan<char> suffix)
    {
        if (id.Length != 45 + suffix.Length || !id.EndsWith(suffix, StringComparison.Ordinal) || id[44] != '=')
        {
            return false;
        }

        foreach (var c in id[1..43])
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/'))
            {
                return false;
            }
        }

        // The last character carries four bits; the two below them must be zero.
        return "AEIMQUYcgkosw048".Contains(id[43]);
    }
}
