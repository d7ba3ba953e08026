namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>What the content of a classic message may be.</summary>
public static partial class ClassicFeed
{
    /// <summary>The shortest type of a content object, in UTF-16 code units.</summary>
    public const int MinTypeLength = 3;

    /// <summary>The longest type of a content object, in UTF-16 code units.</summary>
    public const int MaxTypeLength = 52;

    /// <summary>
    /// An object with a type, or a ciphertext: canonical base64 followed by ".box" and anything on the same line (so that
    /// future kinds of box pass). Null when it may be. Source: ssb-validate 4.1.4, isInvalidContent and isEncrypted.
    /// </summary>
    /// <param name="content">In canonical text with the indentation that it has inside a message.</param>
    private static string? CheckContent(ReadOnlySpan<byte> content)
    {
        switch (content[0])
        {
            case (byte)'"':
                return IsCiphertext(content[1..^1]) ? null : "its content is a string that is no ciphertext (canonical base64 ending in .box or .box2)";

            case (byte)'{':
                // Within strings a new line is escaped, so this can only be the key of the content itself.
                var type = "\n    \"type\": "u8;
                var at = content.IndexOf(type);
                if (at < 0 || content[at + type.Length] != '"')
                {
                    return "its content has no type";
                }

                return TypeLength(content[(at + type.Length + 1)..]) is >= MinTypeLength and <= MaxTypeLength
                    ? null
                    : $"the type of its content is not {MinTypeLength} to {MaxTypeLength} characters long";

            default:
                return "its content is neither an object nor a ciphertext";
        }
    }

    /// <summary>The UTF-16 code units of the canonical string that begins here, behind its quote; stops counting above the limit.</summary>
    private static int TypeLength(ReadOnlySpan<byte> text)
    {
        var units = 0;
        for (var i = 0; text[i] != '"' && units <= MaxTypeLength;)
        {
            var b = text[i];
            i += b == '\\' ? (text[i + 1] == 'u' ? 6 : 2) : b < 0x80 ? 1 : b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
            units += b >= 0xF0 ? 2 : 1;
        }

        return units;
    }

    private static bool IsCiphertext(ReadOnlySpan<byte> text)
    {
        var length = text.IndexOf((byte)'.');
        if (length < 0 || !text[length..].StartsWith(".box"u8))
        {
            return false;
        }

        return IsCanonicalBase64(text[..length]) && IsOneLine(text[length..]);
    }

    /// <summary>Without the line ends that a regular expression's dot refuses.</summary>
    private static bool IsOneLine(ReadOnlySpan<byte> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && text[++i] is (byte)'n' or (byte)'r')
            {
                return false;
            }
        }

        return text.IndexOf("\u2028"u8) < 0 && text.IndexOf("\u2029"u8) < 0;
    }

    private static bool IsCanonicalBase64(ReadOnlySpan<byte> text)
    {
        if (text.Length % 4 != 0)
        {
            return false;
        }

        var padding = text.EndsWith("=="u8) ? 2 : text.EndsWith("="u8) ? 1 : 0;
        var data = text[..^padding];
        if (padding > 0 && (padding == 2 ? "AQgw"u8 : "AEIMQUYcgkosw048"u8).IndexOf(data[^1]) < 0)
        {
            return false;
        }

        foreach (var c in data)
        {
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'+' or (byte)'/'))
            {
                return false;
            }
        }

        return true;
    }
}
