using System.Text.Unicode;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// Tells JSON whose texts are Unicode from JSON that hides broken UTF-8 or half a surrogate pair: parsers take it, and reading such a
/// text as one throws.
/// </summary>
internal static class UnicodeText
{
    /// <summary>Whether every text in valid JSON can be read as one.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json))
        {
            return false;
        }

        var high = false;
        for (var at = json.IndexOf((byte)'\\'); at >= 0 && at + 1 < json.Length;)
        {
            var unit = json[at + 1] == 'u' && json.Length - at >= 6 ? SurrogateAt(json.Slice(at + 2, 4)) : Surrogate.None;
            if ((unit == Surrogate.Low) != high)
            {
                return false;
            }

            high = unit == Surrogate.High;
            at += unit == Surrogate.None ? 2 : 6;
            var next = json[at..].IndexOf((byte)'\\');
            if (high && next != 0)
            {
                return false;
            }

            at = next < 0 ? -1 : at + next;
        }

        return !high;
    }

    private static Surrogate SurrogateAt(ReadOnlySpan<byte> hex) =>
        (hex[0] | 0x20) != 'd' ? Surrogate.None
        : hex[1] is (byte)'8' or (byte)'9' or (byte)'a' or (byte)'A' or (byte)'b' or (byte)'B' ? Surrogate.High
        : (hex[1] | 0x20) is >= 'c' and <= 'f' ? Surrogate.Low
        : Surrogate.None;

    private enum Surrogate
    {
        None,
        High,
        Low,
    }
}
