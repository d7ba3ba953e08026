namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// The message HMAC key (caps.sign): 32 bytes that keep the messages of a separate network from being valid on any other.
/// The main network has none.
/// </summary>
/// <remarks>Source: ssb-caps 1.1.0; ssb-validate 4.1.4, isInvalidHmacKey. Text form: 44 characters of canonical base64.</remarks>
public readonly record struct HmacKey(Bytes32 Bytes)
{
    /// <summary>Reads 44 characters of canonical base64; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> base64, out HmacKey key)
    {
        Span<byte> utf8 = stackalloc byte[SigilText.Base64Length];
        Bytes32 bytes = default;
        var ok = base64.Length == SigilText.Base64Length
            && System.Text.Ascii.FromUtf16(base64, utf8, out _) == System.Buffers.OperationStatus.Done
            && SigilText.TryDecode(utf8, out bytes);
        key = new HmacKey(bytes);
        return ok;
    }

    /// <summary>Reads 44 characters of canonical base64.</summary>
    /// <exception cref="FormatException">The text is not 32 bytes in canonical base64.</exception>
    public static HmacKey Parse(ReadOnlySpan<char> base64) =>
        TryParse(base64, out var key)
            ? key
            : throw new FormatException("A message HMAC key is 32 bytes written as 44 characters of base64.");

    /// <inheritdoc/>
    public override string ToString() => Convert.ToBase64String(Bytes.AsSpan());
}
