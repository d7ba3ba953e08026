using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>What a router said in PCP, or in NAT-PMP where that is all it speaks.</summary>
/// <param name="Result">0 for done, else a result code of RFC 6887 section 7.4.</param>
/// <param name="Lifetime">Seconds that a mapping lasts, or that an error is expected to.</param>
/// <param name="Epoch">Seconds since the router last forgot its mappings.</param>
/// <param name="ExternalPort">The port out there.</param>
/// <param name="ExternalAddress">The address out there; an IPv4 one is not wrapped in IPv6.</param>
internal readonly record struct PcpMapResponse(PcpResult Result, uint Lifetime, uint Epoch, int ExternalPort, IPAddress ExternalAddress);

/// <summary>A router's unasked word that it has begun anew or has another outer address.</summary>
/// <param name="Epoch">Seconds since the router last forgot its mappings.</param>
/// <param name="ExternalAddress">The outer address, which only NAT-PMP tells.</param>
internal readonly record struct GatewayAnnouncement(uint Epoch, IPAddress? ExternalAddress);

/// <summary>Source: RFC 6887 section 7.4.</summary>
internal enum PcpResult : byte
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    MalformedRequest = 3,
    UnsupportedOpcode = 4,
    UnsupportedOption = 5,
    MalformedOption = 6,
    NetworkFailure = 7,
    NoResources = 8,
    UnsupportedProtocol = 9,
    UserExceededQuota = 10,
    CannotProvideExternal = 11,
    AddressMismatch = 12,
    ExcessiveRemotePeers = 13,
}

/// <summary>The bytes of the Port Control Protocol, as far as a host that wants its own ports mapped needs them.</summary>
/// <remarks>
/// Port Control Protocol, version 2. References: RFC 6887 (sections 7 common headers, 11 MAP, 14.1 ANNOUNCE), RFC 6886 (NAT-PMP, the
/// version 0, whose answers are recognised). UDP, router's port 5351, announcements to 224.0.0.1 and ff02::1 port 5350. All integers are
/// big-endian; IPv4 addresses are written as ::ffff:a.b.c.d; a message has at most 1,100 bytes and a multiple of 4.
/// Request: version 1, R=0 and opcode 1, reserved 2, lifetime 4, client address 16 (24 bytes in all).
/// Response: version 1, R=1 and opcode 1, reserved 1, result 1, lifetime 4, epoch 4, reserved 12 (24 bytes in all).
/// MAP, both ways: nonce 12, protocol 1 (6 = TCP), reserved 3, internal port 2, external port 2, external address 16 (36 bytes).
/// Options may follow in a response; none was asked for, so they are not looked at.
/// </remarks>
internal static class PcpMessage
{
    /// <summary>Where routers listen.</summary>
    public const int ServerPort = 5351;

    /// <summary>Where routers announce.</summary>
    public const int AnnouncementPort = 5350;

    /// <summary>Bytes of a MAP request, and of a MAP response without options.</summary>
    public const int MapBytes = 60;

    /// <summary>The longest message allowed.</summary>
    public const int MaxBytes = 1100;

    /// <summary>Bytes of a mapping nonce.</summary>
    public const int NonceBytes = 12;

    private const byte Version = 2;
    private const byte Response = 0x80;
    private const byte Announce = 0;
    private const byte Map = 1;
    private const byte Tcp = 6;
    private const int HeaderBytes = 24;

    /// <summary>Writes a MAP request for TCP. Source: RFC 6887 sections 7.1 and 11.1.</summary>
    /// <param name="destination">Receives 60 bytes.</param>
    /// <param name="client">The address that the request is sent from.</param>
    /// <param name="nonce">12 bytes that stay the same for as long as the mapping is to be kept.</param>
    /// <param name="internalPort">The port here.</param>
    /// <param name="externalPort">The port liked best out there; 0 for any.</param>
    /// <param name="externalAddress">The address liked best out there; null for any.</param>
    /// <param name="lifetime">Seconds; 0 removes the mapping.</param>
    public static void WriteMap(
        Span<byte> destination, IPAddress client, ReadOnlySpan<byte> nonce, int internalPort, int externalPort, IPAddress? externalAddress, uint lifetime)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(nonce.Length, NonceBytes);
        destination = destination[..MapBytes];
        destination.Clear();
        destination[0] = Version;
        destination[1] = Map;
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], lifetime);
        WriteAddress(destination[8..24], client);

        var map = destination[HeaderBytes..];
        nonce.CopyTo(map);
        map[12] = Tcp;
        BinaryPrimitives.WriteUInt16BigEndian(map[16..], (ushort)internalPort);
        BinaryPrimitives.WriteUInt16BigEndian(map[18..], (ushort)externalPort);
        WriteAddress(map[20..36], externalAddress ?? (client.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any));
    }

    /// <summary>Reads the answer to a MAP request; false when these bytes are none, or belong to another request. Source: RFC 6887 sections 7.2, 8.3 and 11.4.</summary>
    public static bool TryReadMap(ReadOnlySpan<byte> datagram, ReadOnlySpan<byte> nonce, int internalPort, out PcpMapResponse response)
    {
        response = default;
        if (datagram.Length is < HeaderBytes or > MaxBytes || datagram.Length % 4 != 0 || datagram[1] != (Response | Map))
        {
            return false;
        }

        var result = (PcpResult)datagram[3];
        var lifetime = BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]);
        var epoch = BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]);
        if (datagram[0] != Version)
        {
            // Another version of PCP: only the refusal is understood.
            response = new PcpMapResponse(PcpResult.UnsupportedVersion, lifetime, epoch, 0, IPAddress.Any);
            return result == PcpResult.UnsupportedVersion && datagram[0] != 0;
        }

        if (datagram.Length < MapBytes)
        {
            return false;
        }

        var map = datagram[HeaderBytes..];
        if (!map[..NonceBytes].SequenceEqual(nonce) || map[12] != Tcp || BinaryPrimitives.ReadUInt16BigEndian(map[16..]) != internalPort)
        {
            return false;
        }

        response = new PcpMapResponse(result, lifetime, epoch, BinaryPrimitives.ReadUInt16BigEndian(map[18..]), ReadAddress(map[20..36]));
        return true;
    }

    /// <summary>Whether these bytes are how a router that only speaks NAT-PMP answers PCP. Source: RFC 6887 section 9, RFC 6886 section 3.5.</summary>
    public static bool IsNatPmpRefusal(ReadOnlySpan<byte> datagram) =>
        datagram.Length is >= 4 and <= MaxBytes
        && datagram[0] == 0
        && datagram[1] >= Response
        && BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) == (ushort)PcpResult.UnsupportedVersion;

    /// <summary>
    /// Reads an announcement: PCP's ANNOUNCE response (24 bytes), or NAT-PMP's external address response (version 0, opcode 128, result 2,
    /// epoch 4, address 4: 12 bytes). Source: RFC 6887 section 14.1.3, RFC 6886 section 3.2.1.
    /// </summary>
    public static bool TryReadAnnouncement(ReadOnlySpan<byte> datagram, out GatewayAnnouncement announcement)
    {
        announcement = default;
        if (datagram.Length == 12 && datagram[0] == 0 && datagram[1] == Response && BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]) == 0)
        {
            announcement = new GatewayAnnouncement(BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]), new IPAddress(datagram[8..12]));
            return true;
        }

        if (datagram.Length is >= HeaderBytes and <= MaxBytes
            && datagram.Length % 4 == 0
            && datagram[0] == Version
            && datagram[1] == (Response | Announce)
            && datagram[3] == (byte)PcpResult.Success)
        {
            announcement = new GatewayAnnouncement(BinaryPrimitives.ReadUInt32BigEndian(datagram[8..]), null);
            return true;
        }

        return false;
    }

    private static void WriteAddress(Span<byte> destination, IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            destination[10] = destination[11] = 0xff;
            _ = address.TryWriteBytes(destination[12..], out _);
        }
        else
        {
            _ = address.TryWriteBytes(destination, out _);
        }
    }

    private static IPAddress ReadAddress(ReadOnlySpan<byte> source)
    {
        var address = new IPAddress(source);
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }
}
