using System.Globalization;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>Numbers as JavaScript writes them: the fewest digits that read back to the same double.</summary>
/// <remarks>
/// Source: ECMA-262, Number::toString(x, 10). With k digits and the decimal point n places right of the first:
/// whole up to 21 places, a fraction down to 1e-6, otherwise an exponent with a sign and no padding (1e+21, 1.5e-7).
/// .NET finds the same shortest digits; only their layout differs.
/// </remarks>
internal static class EcmaScriptNumber
{
    /// <summary>Room that any number fits in, in bytes.</summary>
    public const int MaxLength = 32;

    /// <summary>Writes a JSON number literal as JSON.stringify(JSON.parse(literal)) does; what overflows becomes <c>null</c>.</summary>
    /// <param name="literal">A literal that fits JSON's grammar.</param>
    /// <param name="destination">At least <see cref="MaxLength"/> bytes.</param>
    public static int Format(ReadOnlySpan<byte> literal, Span<byte> destination) =>
        Format(double.Parse(literal, NumberStyles.Float, CultureInfo.InvariantCulture), destination);

    /// <summary>Writes a double as JSON.stringify does; infinities and NaN become <c>null</c>, minus zero <c>0</c>.</summary>
    public static int Format(double value, Span<byte> destination)
    {
        if (!double.IsFinite(value))
        {
            "null"u8.CopyTo(destination);
            return 4;
        }

        if (value == 0)
        {
            destination[0] = (byte)'0';
            return 1;
        }

        Span<byte> digits = stackalloc byte[MaxLength];
        var k = ShortestDigits(Math.Abs(value), digits, out var n);
        digits = digits[..k];
        var at = 0;
        if (value < 0)
        {
            destination[at++] = (byte)'-';
        }

        if (n is > 0 and <= 21)
        {
            var whole = Math.Min(k, n);
            at += Copy(digits[..whole], destination[at..]);
            at += Zeros(n - whole, destination[at..]);
            if (k > n)
            {
                destination[at++] = (byte)'.';
                at += Copy(digits[n..], destination[at..]);
            }

            return at;
        }

        if (n is > -6 and <= 0)
        {
            "0."u8.CopyTo(destination[at..]);
            at += 2;
            at += Zeros(-n, destination[at..]);
            return at + Copy(digits, destination[at..]);
        }

        destination[at++] = digits[0];
        if (k > 1)
        {
            destination[at++] = (byte)'.';
            at += Copy(digits[1..], destination[at..]);
        }

        destination[at++] = (byte)'e';
        destination[at++] = n > 0 ? (byte)'+' : (byte)'-';
        _ = Math.Abs(n - 1).TryFormat(destination[at..], out var written, default, CultureInfo.InvariantCulture);
        return at + written;
    }

    /// <summary>The shortest digits of a positive double, as 0.d1d2d3... times ten to the <paramref name="n"/>.</summary>
    private static int ShortestDigits(double value, Span<byte> digits, out int n)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        _ = value.TryFormat(text, out var length, default, CultureInfo.InvariantCulture);
        var k = 0;
        var point = -1;
        var leadingZeros = 0;
        var exponent = 0;
        for (var i = 0; i < length; i++)
        {
            switch (text[i])
            {
                case (byte)'.':
                    point = k + leadingZeros;
                    break;
                case (byte)'E':
                    exponent = int.Parse(text[(i + 1)..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
                    i = length;
                    break;
                case (byte)'0' when k == 0:
                    leadingZeros++;
                    break;
                default:
                    digits[k++] = text[i];
                    break;
            }
        }

        n = (point < 0 ? k + leadingZeros : point) - leadingZeros + exponent;
        while (digits[k - 1] == '0')
        {
            k--;
        }

        return k;
    }

    private static int Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        from.CopyTo(to);
        return from.Length;
    }

    private static int Zeros(int count, Span<byte> to)
    {
        to[..count].Fill((byte)'0');
        return count;
    }
}
