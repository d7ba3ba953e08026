using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>
/// Classic messages, the feed format that all of Scuttlebutt shares: checking, naming, making and peeking into them.
/// </summary>
/// <remarks>
/// Sources: ssb-validate 4.1.4, ssb-classic 1.1.0, ssb-keys 8.5.0; SSB protocol guide, Feeds; held against
/// ssb-validation-dataset 1.2.1.
/// <para>A value has exactly seven keys: previous, sequence and author (in either order), timestamp, hash, content,
/// signature. It is signed over its canonical text without the signature (UTF-8; Ed25519, 64 bytes; with a message HMAC
/// key over the 32-byte tag of that text), and named by the SHA-256 of its canonical text with the signature, of which
/// each UTF-16 code unit gives its low byte only (Node's 'binary').</para>
/// <para>Canonical text: at most <see cref="MaxLength"/> UTF-16 code units, so up to three times as many bytes.</para>
/// </remarks>
public static partial class ClassicFeed
{
    /// <summary>The longest canonical text of a message with its signature, in UTF-16 code units.</summary>
    public const int MaxLength = 8192;

    /// <summary>
    /// The longest value that is read from the wire, in bytes: more than any spelling of a valid message that is met, which
    /// is compact and so has no more than three bytes a unit.
    /// </summary>
    public const int MaxWireBytes = 64 * 1024;

    /// <summary>The highest sequence, one below 2^30: EBT carries sequences doubled in 31 bits.</summary>
    public const int MaxSequence = (1 << 30) - 1;

    // Between the doubled canonical text of the longest wire value and the memory of a small box.
    private const int MaxCanonicalBytes = 4 * MaxWireBytes;
    private const int KeptBytes = 40 * 1024;
    private const int SignatureTextLength = 88 + 12;

    [ThreadStatic]
    private static CanonicalJson? t_canonical;

    [ThreadStatic]
    private static CanonicalJson? t_compact;

    private static ReadOnlySpan<byte> Head => "{\n  \"previous\": "u8;

    private static ReadOnlySpan<byte> SequenceKey => ",\n  \"sequence\": "u8;

    private static ReadOnlySpan<byte> AuthorKey => ",\n  \"author\": "u8;

    private static ReadOnlySpan<byte> TimestampKey => ",\n  \"timestamp\": "u8;

    private static ReadOnlySpan<byte> HashKey => ",\n  \"hash\": "u8;

    private static ReadOnlySpan<byte> ContentKey => ",\n  \"content\": "u8;

    private static ReadOnlySpan<byte> SignatureKey => ",\n  \"signature\": "u8;

    private static ReadOnlySpan<byte> SignatureSuffix => ".sig.ed25519"u8;

    /// <summary>
    /// Checks everything about a message that needs no other message: form, size, signature. Its place in the feed is
    /// <see cref="FeedTip.Judge"/>'s to say.
    /// </summary>
    /// <param name="wire">
    /// The bare value as received, in UTF-8. When it is its own compact form already (nearly always), the message keeps this
    /// very memory; so nobody may change it afterwards.
    /// </param>
    /// <param name="hmacKey">The network's message HMAC key, if it has one.</param>
    /// <param name="message">The message, when it is valid.</param>
    /// <param name="reason">Why it is not, in words.</param>
    public static bool TryVerify(
        ReadOnlyMemory<byte> wire,
        in HmacKey? hmacKey,
        [NotNullWhen(true)] out Message? message,
        [NotNullWhen(false)] out string? reason)
    {
        message = null;
        if (wire.Length > MaxWireBytes)
        {
            reason = $"it is longer than {MaxWireBytes} bytes";
            return false;
        }

        var json = t_canonical ??= new CanonicalJson(MaxCanonicalBytes);
        if (!json.TryWrite(wire.Span, indented: true))
        {
            reason = $"it is not JSON: {json.Error}";
            return false;
        }

        reason = Check(json, hmacKey, out var fields);
        if (reason is null)
        {
            message = new Message(
                Name(json),
                fields.Author,
                fields.Sequence,
                fields.Previous,
                fields.Timestamp,
                json.InputWasCompact ? wire : Compact(wire.Span));
        }

        json.Trim(KeptBytes);
        return message is not null;
    }

    /// <summary>The id of a value in its canonical text with signature (UTF-8). Source: ssb-keys 8.5.0, util.hash.</summary>
    private static MessageId Name(CanonicalJson json)
    {
        Span<byte> hash = stackalloc byte[32];
        var text = json.Written;
        if (json.Utf16Length == text.Length)
        {
            SHA256.HashData(text, hash);
        }
        else
        {
            var low = ArrayPool<byte>.Shared.Rent(text.Length);
            SHA256.HashData(low.AsSpan(0, LowBytes(text, low)), hash);
            ArrayPool<byte>.Shared.Return(low);
        }

        return new MessageId(hash);
    }

    /// <summary>The low byte of each UTF-16 code unit of valid UTF-8: what Node calls 'binary'.</summary>
    private static int LowBytes(ReadOnlySpan<byte> utf8, Span<byte> low)
    {
        var o = 0;
        for (var i = 0; i < utf8.Length;)
        {
            var b = utf8[i];
            if (b < 0x80)
            {
                low[o++] = b;
                i++;
            }
            else if (b < 0xE0)
            {
                low[o++] = (byte)((b << 6) | (utf8[i + 1] & 0x3F));
                i += 2;
            }
            else if (b < 0xF0)
            {
                low[o++] = (byte)((utf8[i + 1] << 6) | (utf8[i + 2] & 0x3F));
                i += 3;
            }
            else
            {
                var point = ((b & 7) << 18) | ((utf8[i + 1] & 0x3F) << 12) | ((utf8[i + 2] & 0x3F) << 6) | (utf8[i + 3] & 0x3F);
                low[o++] = (byte)((point - 0x10000) >> 10);
                low[o++] = (byte)point;
                i += 4;
            }
        }

        return o;
    }

    private static byte[] Compact(ReadOnlySpan<byte> wire)
    {
        var json = t_compact ??= new CanonicalJson(MaxCanonicalBytes);
        _ = json.TryWrite(wire, indented: false);
        var compact = json.Written.ToArray();
        json.Trim(KeptBytes);
        return compact;
    }

    /// <summary>Every rule, in an order that finds cheap faults first. Null when all hold.</summary>
    private static string? Check(CanonicalJson json, in HmacKey? hmacKey, out Fields fields)
    {
        fields = default;
        var text = json.Editable;
        var reason = ReadFields(text, json.RootKeys, ref fields);
        if (reason is not null)
        {
            return reason;
        }

        if (json.Utf16Length > MaxLength)
        {
            return $"it is too long: {json.Utf16Length} characters where {MaxLength} are allowed";
        }

        reason = CheckContent(text[fields.Content]);
        if (reason is not null)
        {
            return reason;
        }

        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        if (!TryDecodeSignature(text.Slice(fields.SignatureAt + SignatureKey.Length + 1, SignatureTextLength), signature))
        {
            return "its signature is not 64 bytes of canonical base64 with .sig.ed25519";
        }

        return IsSigned(text, fields, signature, hmacKey) ? null : "its signature does not match its author and text";
    }

    private static bool IsSigned(Span<byte> text, in Fields fields, ReadOnlySpan<byte> signature, in HmacKey? hmacKey)
    {
        // The text without its signature ends where the signature's comma stands: close the object there for a moment.
        var at = fields.SignatureAt;
        "\n}"u8.CopyTo(text[at..]);
        var unsigned = text[..(at + 2)];
        bool valid;
        if (hmacKey is { } key)
        {
            Span<byte> tag = stackalloc byte[Sodium.AuthBytes];
            Sodium.Auth(unsigned, key.Bytes.AsSpan(), tag);
            valid = Sodium.Verify(signature, tag, fields.Author.AsSpan());
        }
        else
        {
            valid = Sodium.Verify(signature, unsigned, fields.Author.AsSpan());
        }

        SignatureKey[..2].CopyTo(text[at..]);
        return valid;
    }

    private static bool TryDecodeSignature(ReadOnlySpan<byte> text, Span<byte> signature)
    {
        Span<byte> decoded = stackalloc byte[66];
        if (text[88..].SequenceEqual(SignatureSuffix)
            && text[85] is (byte)'A' or (byte)'Q' or (byte)'g' or (byte)'w'
            && Base64.DecodeFromUtf8(text[..88], decoded, out _, out var written) == OperationStatus.Done
            && written == Sodium.SignatureBytes)
        {
            decoded[..written].CopyTo(signature);
            return true;
        }

        return false;
    }

    /// <summary>Reads the seven fields out of the canonical text, where each has one place and one spelling.</summary>
    private static string? ReadFields(ReadOnlySpan<byte> text, int keys, ref Fields fields)
    {
        if (keys != 7)
        {
            return text.StartsWith("{"u8)
                ? $"it has {keys} fields where a classic message has 7"
                : "it is not an object";
        }

        const string wrongOrder = "its fields are not previous, sequence, author, timestamp, hash, content, signature in that order";
        var at = 0;
        if (!Take(text, ref at, Head))
        {
            return wrongOrder;
        }

        var first = text[at..].StartsWith("null"u8);
        if (first)
        {
            at += 4;
        }
        else if (!TakeQuoted(text, ref at, MessageId.TextLength, out var previous) || !MessageId.TryParse(previous, out fields.Previous))
        {
            return "its previous is neither null nor a message id";
        }

        var sequenceFirst = Take(text, ref at, SequenceKey);
        if (sequenceFirst && !TakeSequence(text, ref at, out fields.Sequence))
        {
            return $"its sequence is not a whole number from 1 to {MaxSequence}";
        }

        if (!Take(text, ref at, AuthorKey))
        {
            return wrongOrder;
        }

        if (!TakeQuoted(text, ref at, FeedId.TextLength, out var author) || !FeedId.TryParse(author, out fields.Author))
        {
            return "its author is not a feed id";
        }

        if (!sequenceFirst)
        {
            if (!Take(text, ref at, SequenceKey))
            {
                return wrongOrder;
            }

            if (!TakeSequence(text, ref at, out fields.Sequence))
            {
                return $"its sequence is not a whole number from 1 to {MaxSequence}";
            }
        }

        if (!Take(text, ref at, TimestampKey))
        {
            return wrongOrder;
        }

        var number = text[at..];
        number = number[..number.IndexOf((byte)'\n')];
        if (!number.EndsWith(","u8)
            || !double.TryParse(number[..^1], NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out fields.Timestamp))
        {
            return "its timestamp is not a number";
        }

        at += number.Length - 1;
        if (!Take(text, ref at, HashKey))
        {
            return wrongOrder;
        }

        if (!Take(text, ref at, "\"sha256\""u8))
        {
            return "its hash is not \"sha256\"";
        }

        if (!Take(text, ref at, ContentKey))
        {
            return wrongOrder;
        }

        var end = text.LastIndexOf(SignatureKey);
        if (end < at)
        {
            return wrongOrder;
        }

        if (text.Length - end != SignatureKey.Length + 1 + SignatureTextLength + 3 || text[end + SignatureKey.Length] != '"')
        {
            return "its signature is not 64 bytes of canonical base64 with .sig.ed25519";
        }

        if (first != (fields.Sequence == 1))
        {
            return first
                ? "it has no previous, but its sequence is not 1"
                : "it is the first of its feed, but has a previous";
        }

        fields.Content = at..end;
        fields.SignatureAt = end;
        return null;
    }

    private static bool Take(ReadOnlySpan<byte> text, ref int at, ReadOnlySpan<byte> expected)
    {
        if (!text[at..].StartsWith(expected))
        {
            return false;
        }

        at += expected.Length;
        return true;
    }

    private static bool TakeQuoted(ReadOnlySpan<byte> text, ref int at, int length, out ReadOnlySpan<byte> inside)
    {
        if (text.Length - at > length + 2 && text[at] == '"' && text[at + length + 1] == '"')
        {
            inside = text.Slice(at + 1, length);
            at += length + 2;
            return true;
        }

        inside = default;
        return false;
    }

    private static bool TakeSequence(ReadOnlySpan<byte> text, ref int at, out int sequence)
    {
        sequence = 0;
        var start = at;
        while (at - start < 11 && (uint)(text[at] - '0') <= 9)
        {
            at++;
        }

        return int.TryParse(text[start..at], NumberStyles.None, CultureInfo.InvariantCulture, out sequence)
            && sequence is >= 1 and <= MaxSequence
            && text[at] is (byte)',';
    }

    /// <summary>What was read out of the canonical text.</summary>
    private struct Fields
    {
        public MessageId Previous;
        public int Sequence;
        public FeedId Author;
        public double Timestamp;
        public Range Content;
        public int SignatureAt;
    }
}
