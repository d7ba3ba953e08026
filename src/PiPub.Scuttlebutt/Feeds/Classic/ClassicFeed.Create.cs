using System.Buffers;
using System.Buffers.Text;
using System.Text;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>Writing the next message of a feed.</summary>
public static partial class ClassicFeed
{
    /// <summary>
    /// Makes and signs the message that follows <paramref name="tip"/>, keys in the order of ssb-validate: previous, sequence,
    /// author, timestamp, hash, content, signature. It is checked like any other before it is given out.
    /// </summary>
    /// <param name="author">Whose feed it continues.</param>
    /// <param name="tip">The newest message of that feed.</param>
    /// <param name="timestamp">Milliseconds since 1970, may be fractional.</param>
    /// <param name="content">JSON in UTF-8: an object with a type, or a ciphertext as a string.</param>
    /// <param name="hmacKey">The network's message HMAC key, if it has one.</param>
    /// <exception cref="FormatException">The content cannot be published; the message says why.</exception>
    public static Message Create(KeyPair author, in FeedTip tip, double timestamp, ReadOnlyMemory<byte> content, in HmacKey? hmacKey = null)
    {
        ArgumentNullException.ThrowIfNull(author);
        var json = new CanonicalJson(MaxCanonicalBytes);
        if (!json.TryWrite(content.Span, indented: false))
        {
            throw new FormatException($"This content is not JSON: {json.Error} (at byte {json.ErrorOffset}).");
        }

        var wire = new ArrayBufferWriter<byte>(json.Written.Length + 512);
        Span<byte> number = stackalloc byte[EcmaScriptNumber.MaxLength];
        var previous = tip.Sequence == 0 ? "null" : $"\"{tip.Id}\"";
        wire.Write(Encoding.ASCII.GetBytes($"{{\"previous\":{previous},\"sequence\":{tip.Sequence + 1},\"author\":\"{author.Id}\",\"timestamp\":"));
        wire.Write(number[..EcmaScriptNumber.Format(timestamp, number)]);
        wire.Write(",\"hash\":\"sha256\",\"content\":"u8);
        wire.Write(json.Written);
        var unsigned = wire.WrittenCount;
        wire.Write("}"u8);
        if (!json.TryWrite(wire.WrittenSpan, indented: true))
        {
            throw new FormatException($"This content cannot be published: {json.Error}.");
        }

        Span<byte> signature = stackalloc byte[Sodium.SignatureBytes];
        Sign(author, json.Written, hmacKey, signature);
        Span<byte> signatureText = stackalloc byte[88];
        _ = Base64.EncodeToUtf8(signature, signatureText, out _, out _);
        var signed = new ArrayBufferWriter<byte>(unsigned + 128);
        signed.Write(wire.WrittenSpan[..unsigned]);
        signed.Write(",\"signature\":\""u8);
        signed.Write(signatureText);
        signed.Write(SignatureSuffix);
        signed.Write("\"}"u8);

        return TryVerify(signed.WrittenSpan.ToArray(), hmacKey, out var message, out var reason)
            ? message
            : throw new FormatException($"This content cannot be published: the message that it makes is not valid, as {reason}.");
    }

    private static void Sign(KeyPair author, ReadOnlySpan<byte> text, in HmacKey? hmacKey, Span<byte> signature)
    {
        if (hmacKey is { } key)
        {
            Span<byte> tag = stackalloc byte[Sodium.AuthBytes];
            Sodium.Auth(text, key.Bytes.AsSpan(), tag);
            author.Sign(tag, signature);
        }
        else
        {
            author.Sign(text, signature);
        }
    }
}
