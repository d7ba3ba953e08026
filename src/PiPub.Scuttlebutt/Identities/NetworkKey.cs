namespace PiPub.Scuttlebutt.Identities;

/// <summary>
/// The network key (caps.shs): 32 bytes that both ends of a handshake must share. It keeps networks apart; it is not a secret.
/// </summary>
/// <remarks>Source: ssb-caps 1.1.0.</remarks>
public readonly record struct NetworkKey(Bytes32 Bytes)
{
    /// <summary>The key of the main Scuttlebutt network. Never used in a test.</summary>
    public static NetworkKey Main { get; } = Parse("1KHLiKZvAvjbY1ziZEHMXawbCEIM6qwjCDm3VYRan/s=");

    /// <summary>Reads 44 characters of base64.</summary>
    /// <exception cref="FormatException">The text is not 32 bytes in canonical base64.</exception>
    public static NetworkKey Parse(string base64) =>
        SigilText.TryDecode(System.Text.Encoding.ASCII.GetBytes(base64), out var bytes)
            ? new NetworkKey(bytes)
            : throw new FormatException("A network key is 32 bytes written as 44 characters of base64.");

    /// <inheritdoc/>
    public override string ToString() => Convert.ToBase64String(Bytes.AsSpan());
}
