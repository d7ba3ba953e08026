namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// Ids as cautious writers of JSON spell them, with characters of ASCII escaped: <c>\/</c>, or <c>\u0026</c> as Go's does the
/// ampersand. Anything else is no id, and said so without an exception: strangers may send a hundred thousand in one item.
/// </summary>
internal static class EscapedId
{
    /// <summary>Undoes the escapes of the inside of a JSON string. False when it stands for anything but ASCII, or for more than fits.</summary>
    /// <param name="escaped">What a reader of JSON has taken for a string.</param>
    /// <param name="plain">Receives the text.</param>
    /// <param name="length">Its length in bytes.</param>
    public static bool TryUndo(ReadOnlySpan<byte> escaped, Span<byte> plain, out int length)
    {
        length = 0;
        for (var at = 0; at < escaped.Length; at++)
        {
            var b = escaped[at];
            if (b == '\\')
            {
                if (++at == escaped.Length)
                {
                    return false;
                }

                b = escaped[at];
                if (b == 'u')
                {
                    if (escaped.Length - at < 5 || escaped[at + 1] != '0' || escaped[at + 2] != '0' || !TryHex(escaped[at + 3], escaped[at + 4], out b))
                    {
                        return false;
                    }

                    at += 4;
                }
                else if (b is not ((byte)'/' or (byte)'\\' or (byte)'"'))
                {
                    return false;
                }
            }

            if (b >= 0x80 || length == plain.Length)
            {
                return false;
            }

            plain[length++] = b;
        }

        return true;
    }

    private static bool TryHex(byte high, byte low, out byte value)
    {
        var (h, l) = (Digit(high), Digit(low));
        value = (byte)((h << 4) | l);
        return (h | l) >= 0;
    }

    private static int Digit(byte c) => c switch
    {
        >= (byte)'0' and <= (byte)'9' => c - '0',
        >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
        _ => -1,
    };
}
