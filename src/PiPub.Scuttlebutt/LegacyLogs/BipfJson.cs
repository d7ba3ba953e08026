using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using PiPub.Scuttlebutt.Feeds.Classic;

namespace PiPub.Scuttlebutt.LegacyLogs;

/// <summary>Turns BIPF, in which ssb-db2 keeps messages, into the compact JSON that JavaScript would write of the same value.</summary>
/// <remarks>
/// <para>Sources: bipf 1.9.0, encode.js and decode.js; ECMA-262, JSON.stringify.</para>
/// <para>A value is a varint tag, length * 8 + type, and that many bytes. Types: 0 text in UTF-8, 1 bytes, 2 a number of 32 bits,
/// 3 a number of 64 bits (IEEE 754), both little-endian, 4 a list of values, 5 an object (name, value, name, value, ...), 6 null
/// (no byte), false (0), true (1) or undefined (2).</para>
/// <para>Bytes have no form in JSON and are refused. Nesting is bounded to <see cref="CanonicalJson.MaxDepth"/>; the output by
/// the input, of which no byte gives more than six.</para>
/// </remarks>
public sealed class BipfJson
{
    internal const int Object = 5;

    private const int Text = 0;
    private const int Integer = 2;
    private const int Double = 3;
    private const int List = 4;
    private const int Constant = 6;
    private const int TypeBits = 3;
    private const int MaxTagBytes = 5;

    private readonly ArrayBufferWriter<byte> _out = new(1024);

    /// <summary>What the last call wrote. Valid until the next one.</summary>
    public ReadOnlySpan<byte> Written => _out.WrittenSpan;

    /// <summary>Why the last call gave false, in words.</summary>
    public string? Error { get; private set; }

    /// <summary>Writes one value that takes all of <paramref name="bipf"/>.</summary>
    public bool TryRead(ReadOnlySpan<byte> bipf)
    {
        Begin();
        var at = 0;
        return TryWrite(bipf, ref at, 0) && (at == bipf.Length || Fail("something stands behind it"));
    }

    /// <summary>Writes the value that an object has under a name.</summary>
    public bool TryReadMember(ReadOnlySpan<byte> bipf, ReadOnlySpan<byte> name)
    {
        Begin();
        var at = 0;
        if (!TryReadTag(bipf, ref at, out var type, out var length) || type != Object || at + length != bipf.Length)
        {
            return Fail("the record is no object");
        }

        while (at < bipf.Length)
        {
            if (!TryReadTag(bipf, ref at, out type, out length) || type != Text)
            {
                return Fail("a name in the record is no text");
            }

            var isWanted = bipf.Slice(at, length).SequenceEqual(name);
            at += length;
            var value = at;
            if (!TryReadTag(bipf, ref at, out type, out length))
            {
                return Fail("a value is cut off");
            }

            if (isWanted)
            {
                return type == Object ? TryWrite(bipf, ref value, 0) : Fail("the record holds no message");
            }

            at += length;
        }

        return Fail("the record holds no message");
    }

    private void Begin()
    {
        _out.ResetWrittenCount();
        Error = null;
    }

    private bool Fail(string why)
    {
        Error ??= why;
        return false;
    }

    /// <summary>Reads a tag whose content lies within <paramref name="bipf"/>.</summary>
    private static bool TryReadTag(ReadOnlySpan<byte> bipf, ref int at, out int type, out int length)
    {
        var tag = 0UL;
        for (var i = 0; i < MaxTagBytes && at < bipf.Length; i++)
        {
            var b = bipf[at++];
            tag |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                type = (int)(tag & ((1 << TypeBits) - 1));
                var said = tag >> TypeBits;
                length = (int)Math.Min(said, int.MaxValue);
                return said <= (ulong)(bipf.Length - at);
            }
        }

        (type, length) = (0, 0);
        return false;
    }

    private bool TryWrite(ReadOnlySpan<byte> bipf, ref int at, int depth)
    {
        if (!TryReadTag(bipf, ref at, out var type, out var length))
        {
            return Fail("a value is cut off");
        }

        var content = bipf.Slice(at, length);
        at += length;
        switch (type)
        {
            case Text:
                WriteText(content);
                return true;

            case Integer when length == 4:
                return WriteNumber(BinaryPrimitives.ReadInt32LittleEndian(content));

            case Double when length == 8:
                return WriteNumber(BinaryPrimitives.ReadDoubleLittleEndian(content));

            case List or Object when depth < CanonicalJson.MaxDepth:
                return type == List ? WriteList(content, depth + 1) : WriteObject(content, depth + 1);

            case Constant when length == 0 || (length == 1 && content[0] <= 2):
                Write(length == 0 || content[0] == 2 ? "null"u8 : content[0] == 1 ? "true"u8 : "false"u8);
                return true;

            default:
                return Fail("a value is of no type that JSON has");
        }
    }

    private bool WriteList(ReadOnlySpan<byte> content, int depth)
    {
        Write("["u8);
        for (var at = 0; at < content.Length;)
        {
            if (at > 0)
            {
                Write(","u8);
            }

            if (!TryWrite(content, ref at, depth))
            {
                return false;
            }
        }

        Write("]"u8);
        return true;
    }

    private bool WriteObject(ReadOnlySpan<byte> content, int depth)
    {
        Write("{"u8);
        var isFirst = true;
        for (var at = 0; at < content.Length;)
        {
            if (!TryReadTag(content, ref at, out var type, out var length) || type != Text)
            {
                return Fail("a name in an object is no text");
            }

            var name = content.Slice(at, length);
            at += length;
            if (IsUndefined(content[at..]))
            {
                // JSON.stringify leaves such members out.
                at += 2;
                continue;
            }

            if (!isFirst)
            {
                Write(","u8);
            }

            isFirst = false;
            WriteText(name);
            Write(":"u8);
            if (!TryWrite(content, ref at, depth))
            {
                return false;
            }
        }

        Write("}"u8);
        return true;
    }

    private static bool IsUndefined(ReadOnlySpan<byte> value) => value.Length >= 2 && value[0] == ((1 << TypeBits) | Constant) && value[1] == 2;

    private bool WriteNumber(double value)
    {
        _out.Advance(EcmaScriptNumber.Format(value, _out.GetSpan(EcmaScriptNumber.MaxLength)));
        return true;
    }

    /// <summary>Writes a string. Source: ECMA-262, QuoteJSONString; bytes that are not UTF-8 become U+FFFD, as in Buffer.toString.</summary>
    private void WriteText(ReadOnlySpan<byte> text)
    {
        Write("\""u8);
        while (text.Length > 0)
        {
            var plain = 0;
            while (plain < text.Length && text[plain] is >= (byte)' ' and < 0x80 and not (byte)'"' and not (byte)'\\')
            {
                plain++;
            }

            Write(text[..plain]);
            text = text[plain..];
            if (text.Length == 0)
            {
                break;
            }

            if (text[0] >= 0x80)
            {
                var isWhole = Rune.DecodeFromUtf8(text, out _, out var length) == OperationStatus.Done;
                Write(isWhole ? text[..length] : "\uFFFD"u8);
                text = text[length..];
                continue;
            }

            WriteEscaped(text[0]);
            text = text[1..];
        }

        Write("\""u8);
    }

    private void WriteEscaped(byte c)
    {
        switch (c)
        {
            case (byte)'"':
                Write("\\\""u8);
                break;
            case (byte)'\\':
                Write("\\\\"u8);
                break;
            case (byte)'\b':
                Write("\\b"u8);
                break;
            case (byte)'\f':
                Write("\\f"u8);
                break;
            case (byte)'\n':
                Write("\\n"u8);
                break;
            case (byte)'\r':
                Write("\\r"u8);
                break;
            case (byte)'\t':
                Write("\\t"u8);
                break;
            default:
                Write("\\u00"u8);
                var hex = _out.GetSpan(2);
                hex[0] = "0123456789abcdef"u8[c >> 4];
                hex[1] = "0123456789abcdef"u8[c & 15];
                _out.Advance(2);
                break;
        }
    }

    private void Write(ReadOnlySpan<byte> bytes) => _out.Write(bytes);
}
