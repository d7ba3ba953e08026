using System.Buffers;
using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>Strings: plain ASCII is copied 16 bytes at a time, everything else one character at a time.</summary>
public sealed partial class CanonicalJson
{
    private static ReadOnlySpan<byte> HexDigits => "0123456789abcdef"u8;

    /// <summary>Copies the string whose opening quote is at <paramref name="index"/>, and moves behind its closing one.</summary>
    private bool CopyString(ReadOnlySpan<byte> src, ref int index)
    {
        Debug.Assert(_out.Length - _length >= src.Length - index + Slack - 2, "every step leaves room for the input that is left");
        var i = index + 1;
        _out[_length++] = (byte)'"';
        while (true)
        {
            ref var from = ref MemoryMarshal.GetReference(src);
            ref var to = ref MemoryMarshal.GetArrayDataReference(_out);
            var o = _length;
            while (src.Length - i >= Vector128<byte>.Count)
            {
                var block = Vector128.LoadUnsafe(ref from, (nuint)i);
                block.StoreUnsafe(ref to, (nuint)o);

                // As signed bytes, control characters and everything beyond ASCII are alike below the space.
                var special = Vector128.LessThan(block.AsSByte(), Vector128.Create((sbyte)' ')).AsByte()
                    | Vector128.Equals(block, Vector128.Create((byte)'"'))
                    | Vector128.Equals(block, Vector128.Create((byte)'\\'));
                if (special != Vector128<byte>.Zero)
                {
                    var plain = BitOperations.TrailingZeroCount(special.ExtractMostSignificantBits());
                    i += plain;
                    o += plain;
                    goto Special;
                }

                i += Vector128<byte>.Count;
                o += Vector128<byte>.Count;
            }

            while (i < src.Length && src[i] is >= (byte)' ' and < 0x80 and not (byte)'"' and not (byte)'\\')
            {
                _out[o++] = src[i++];
            }

            if (i >= src.Length)
            {
                return Fail(i, "it ends within a string");
            }

        Special:
            _length = o;
            var c = src[i];
            if (c == '"')
            {
                _out[_length++] = c;
                index = i + 1;
                return true;
            }

            if (!(c == '\\' ? CopyEscape(src, ref i) : c < ' ' ? Fail(i, "a control character stands in a string unescaped") : CopyBeyondAscii(src, ref i)))
            {
                return false;
            }
        }
    }

    private bool CopyBeyondAscii(ReadOnlySpan<byte> src, ref int i)
    {
        do
        {
            if (Rune.DecodeFromUtf8(src[i..], out _, out var length) == OperationStatus.Done)
            {
                src.Slice(i, length).CopyTo(_out.AsSpan(_length));
                _length += length;
                _surplus += length == 2 ? 1 : 2;
                i += length;
                continue;
            }

            i += length;
            if (!Reserve(src.Length - i + 3))
            {
                return false;
            }

            "\uFFFD"u8.CopyTo(_out.AsSpan(_length));
            _length += 3;
            _surplus += 2;
            _same = false;
        }
        while (i < src.Length && src[i] >= 0x80);

        return true;
    }

    private bool CopyEscape(ReadOnlySpan<byte> src, ref int i)
    {
        var c = i + 1 < src.Length ? src[i + 1] : (byte)0;
        switch (c)
        {
            case (byte)'"' or (byte)'\\' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                _out[_length++] = (byte)'\\';
                _out[_length++] = c;
                i += 2;
                return true;

            case (byte)'/':
                _out[_length++] = c;
                _same = false;
                i += 2;
                return true;

            case (byte)'u' when TryReadUnit(src, i, out var unit):
                var start = i;
                i += 6;
                var low = 0;
                if (unit is >= 0xD800 and < 0xDC00 && TryReadUnit(src, i, out low) && low is >= 0xDC00 and < 0xE000)
                {
                    i += 6;
                    _length += new Rune((char)unit, (char)low).EncodeToUtf8(_out.AsSpan(_length));
                    _surplus += 2;
                    _same = false;
                    return true;
                }

                var written = WriteUnit(unit);
                _same = _same && src[start..i].SequenceEqual(_out.AsSpan(_length - written, written));
                return true;

            default:
                return Fail(i, "an escape in a string is none of JSON's");
        }
    }

    /// <summary>Reads <c>\uXXXX</c> at <paramref name="at"/>.</summary>
    private static bool TryReadUnit(ReadOnlySpan<byte> src, int at, out int unit)
    {
        unit = 0;
        if (src.Length - at < 6 || src[at] != '\\' || src[at + 1] != 'u')
        {
            return false;
        }

        for (var k = at + 2; k < at + 6; k++)
        {
            var c = src[k];
            var digit = c switch
            {
                >= (byte)'0' and <= (byte)'9' => c - '0',
                >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
                _ => -1,
            };
            if (digit < 0)
            {
                return false;
            }

            unit = (unit << 4) | digit;
        }

        return true;
    }

    /// <summary>Writes one code unit that is no part of a pair. Source: ECMA-262, QuoteJSONString.</summary>
    private int WriteUnit(int unit)
    {
        var to = _out.AsSpan(_length);
        var written = 2;
        switch (unit)
        {
            case '"' or '\\':
                to[0] = (byte)'\\';
                to[1] = (byte)unit;
                break;
            case '\b' or '\t' or '\n' or '\f' or '\r':
                to[0] = (byte)'\\';
                to[1] = "btn_fr"u8[unit - '\b'];
                break;
            case < ' ' or (>= 0xD800 and < 0xE000):
                "\\u"u8.CopyTo(to);
                to[2] = HexDigits[unit >> 12];
                to[3] = HexDigits[(unit >> 8) & 15];
                to[4] = HexDigits[(unit >> 4) & 15];
                to[5] = HexDigits[unit & 15];
                written = 6;
                break;
            default:
                written = new Rune(unit).EncodeToUtf8(to);
                _surplus += written - 1;
                break;
        }

        _length += written;
        return written;
    }
}
