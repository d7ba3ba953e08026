using System.Buffers;
using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Lan;

/// <summary>The plain discovery packet: an address, readable and writable by anybody.</summary>
/// <remarks>
/// <para>Sources: ssb-local 1.0.0 index.js; ssb-lan 1.2.3 lib/index.js (readLegacy, writeLegacy); broadcast-stream 0.2.2.</para>
/// <para>One UDP datagram to port 8008 of the subnet's broadcast address: a multiserver address, or several joined by
/// <c>;</c>, in ASCII, without an end mark. Sent every second by ssb-local, every two by ssb-lan; both take a peer for gone after ten
/// seconds of silence. ssb-local also reads <c>host:port:@key.ed25519</c>, which its forerunners sent.</para>
/// </remarks>
public static class PlainPacket
{
    /// <summary>The UDP port.</summary>
    public const int Port = 8008;

    /// <summary>Makes a packet of one address.</summary>
    public static byte[] Write(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return Encoding.ASCII.GetBytes(address.ToString());
    }

    /// <summary>Reads a packet. Never throws, whatever the bytes are.</summary>
    /// <param name="packet">The whole datagram.</param>
    /// <param name="self">Whose packets are our own.</param>
    /// <param name="announcement">What it says, when it is read; never verified.</param>
    public static LanReading Read(ReadOnlySpan<byte> packet, FeedId self, out LanAnnouncement? announcement)
    {
        announcement = null;
        if (packet.Length > LanAnnouncement.MaxPacketLength)
        {
            return LanReading.Oversized;
        }

        Span<char> text = stackalloc char[packet.Length];
        if (Ascii.ToUtf16(packet, text, out _) != OperationStatus.Done)
        {
            return LanReading.Malformed;
        }

        if (!text.Contains('~') && MultiserverAddress.TryParseLegacy(text.ToString(), out var legacy))
        {
            announcement = legacy.Key == self ? null : new LanAnnouncement(legacy.Key!.Value, [legacy], IsVerified: false);
        }
        else if (MultiserverAddress.TryParseList(text, out var list) && LanAnnouncement.Of(list) is { } found)
        {
            announcement = found.Feed == self ? null : new LanAnnouncement(found.Feed, found.Addresses, IsVerified: false);
        }
        else
        {
            return LanReading.Malformed;
        }

        return announcement is null ? LanReading.Own : LanReading.Announced;
    }
}
