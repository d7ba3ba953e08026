using System.Text.Json;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Lan;

/// <summary>The encrypted discovery packet: an address that only members of the same network can read, signed by whom it leads to.</summary>
/// <remarks>
/// <para>Sources: ssb-lan 1.2.3 lib/index.js (readNormal, writeNormal) and port.js; ssb-keys 8.5.0 (secretBox, signObj).</para>
/// <para>One UDP datagram to port 26830 of the subnet's broadcast address: secretbox(<c>{"address":"..."}</c>), which is a MAC of 16
/// bytes and the cipher, then an Ed25519 signature of 64 bytes. Box key: the network key (32 bytes); nonce: its first 24 bytes,
/// always the same, so that equal addresses make equal packets and the box hides nothing from members. Signed is not what is
/// boxed but the same object as JSON.stringify(object, null, 2) writes it.</para>
/// </remarks>
public static class EncryptedPacket
{
    /// <summary>The UDP port.</summary>
    public const int Port = 26830;

    private const int Overhead = Sodium.MacBytes + Sodium.SignatureBytes;

    /// <summary>Makes a packet of one address.</summary>
    public static byte[] Write(MultiserverAddress address, NetworkKey network, KeyPair self)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(self);
        var text = address.ToString();
        Span<byte> pretty = stackalloc byte[MaxJsonLength(text.Length)];
        Span<byte> compact = stackalloc byte[MaxJsonLength(text.Length)];
        var length = WriteJson(text, isPretty: false, compact);
        var packet = new byte[length + Overhead];
        var key = network.Bytes.AsSpan();
        Sodium.SecretBox(compact[..length], key[..Sodium.NonceBytes], key, packet.AsSpan(0, Sodium.MacBytes), packet.AsSpan(Sodium.MacBytes, length));
        self.Sign(pretty[..WriteJson(text, isPretty: true, pretty)], packet.AsSpan(packet.Length - Sodium.SignatureBytes));
        return packet;
    }

    /// <summary>
    /// Reads a packet. Never throws, whatever the bytes are. A wrong signature leaves the announcement unverified, as in
    /// ssb-lan, where such peers are shown too.
    /// </summary>
    /// <param name="packet">The whole datagram.</param>
    /// <param name="network">The key of the network.</param>
    /// <param name="self">Whose packets are our own.</param>
    /// <param name="announcement">What it says, when it is read.</param>
    public static LanReading Read(ReadOnlySpan<byte> packet, NetworkKey network, FeedId self, out LanAnnouncement? announcement)
    {
        announcement = null;
        if (packet.Length > LanAnnouncement.MaxPacketLength)
        {
            return LanReading.Oversized;
        }

        if (packet.Length <= Overhead)
        {
            return LanReading.Malformed;
        }

        var cipher = packet[Sodium.MacBytes..^Sodium.SignatureBytes];
        Span<byte> json = stackalloc byte[cipher.Length];
        var key = network.Bytes.AsSpan();
        if (!Sodium.TryOpenSecretBox(packet[..Sodium.MacBytes], cipher, key[..Sodium.NonceBytes], key, json))
        {
            return LanReading.OtherNetwork;
        }

        if (ReadAddress(json) is not { } text || !MultiserverAddress.TryParseList(text, out var list) || LanAnnouncement.Of(list) is not { } found)
        {
            return LanReading.Malformed;
        }

        if (found.Feed == self)
        {
            return LanReading.Own;
        }

        Span<byte> pretty = stackalloc byte[MaxJsonLength(text.Length)];
        var isVerified = Sodium.Verify(packet[^Sodium.SignatureBytes..], pretty[..WriteJson(text, isPretty: true, pretty)], found.Feed.AsSpan());
        announcement = new LanAnnouncement(found.Feed, found.Addresses, isVerified);
        return LanReading.Announced;
    }

    /// <summary>The member <c>address</c> of a JSON object, the last one where there are several, as JSON.parse has it.</summary>
    private static string? ReadAddress(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            string? address = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isAddress = reader.ValueTextEquals("address"u8);
                _ = reader.Read();
                if (isAddress)
                {
                    address = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                }

                reader.Skip();
            }

            // Nothing but white space may follow.
            return reader.Read() ? null : address;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: text that is not UTF-8, or half a surrogate pair.
            return null;
        }
    }

    private static int MaxJsonLength(int textLength) => (2 * textLength) + 24;

    /// <summary>Writes what JSON.stringify makes of the address, which is printable ASCII: only two of its characters need a backslash.</summary>
    private static int WriteJson(string address, bool isPretty, Span<byte> json)
    {
        var head = isPretty ? "{\n  \"address\": \""u8 : "{\"address\":\""u8;
        var tail = isPretty ? "\"\n}"u8 : "\"}"u8;
        head.CopyTo(json);
        var at = head.Length;
        foreach (var c in address)
        {
            if (c is '"' or '\\')
            {
                json[at++] = (byte)'\\';
            }

            json[at++] = (byte)c;
        }

        tail.CopyTo(json[at..]);
        return at + tail.Length;
    }
}
