using System.Net;
using System.Net.Sockets;

namespace PiPub.Appliance.Network;

/// <summary>What is wrong with a fixed address.</summary>
public enum AddressFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It is no IPv4 address that a machine at home could have.</summary>
    NotUsable,

    /// <summary>The length of the subnet's prefix is not within 8 to 30.</summary>
    PrefixLength,

    /// <summary>It is the subnet's own address, or the one that means all of it.</summary>
    SubnetOrBroadcast,

    /// <summary>The router's address is none, or lies elsewhere.</summary>
    RouterElsewhere,

    /// <summary>The router has the same address.</summary>
    RouterIsSame,

    /// <summary>A name server's address is none.</summary>
    NameServer,

    /// <summary>Another machine answers there already.</summary>
    InUse,
}

/// <summary>A fixed IPv4 address with what belongs to it. IPv6 goes on by itself (RFC 4862).</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">Bits that all addresses of the subnet share; at home nearly always 24.</param>
/// <param name="Router">The router at home.</param>
/// <param name="NameServers">Who knows names; the router when empty.</param>
public sealed record FixedAddress(IPAddress Address, int PrefixLength, IPAddress Router, IReadOnlyList<IPAddress> NameServers)
{
    private const int ShortestPrefix = 8;
    private const int LongestPrefix = 30;

    /// <summary>Reads what a person typed in.</summary>
    /// <param name="address">The address.</param>
    /// <param name="prefixLength">The prefix's length.</param>
    /// <param name="router">The router's address.</param>
    /// <param name="nameServers">Addresses with commas or spaces between; may be empty.</param>
    /// <param name="read">What it says; null when there is a fault.</param>
    public static AddressFault TryRead(string? address, int prefixLength, string? router, string? nameServers, out FixedAddress? read)
    {
        read = null;
        if (!IsMachines(address, out var own))
        {
            return AddressFault.NotUsable;
        }

        if (prefixLength is < ShortestPrefix or > LongestPrefix)
        {
            return AddressFault.PrefixLength;
        }

        var mask = uint.MaxValue << (32 - prefixLength);
        var (host, gate) = (Number(own), 0u);
        if ((host & ~mask) == 0 || (host & ~mask) == ~mask)
        {
            return AddressFault.SubnetOrBroadcast;
        }

        if (!IsMachines(router, out var through) || ((gate = Number(through)) & mask) != (host & mask) || (gate & ~mask) == 0 || (gate & ~mask) == ~mask)
        {
            return AddressFault.RouterElsewhere;
        }

        if (gate == host)
        {
            return AddressFault.RouterIsSame;
        }

        var servers = new List<IPAddress>();
        foreach (var text in (nameServers ?? "").Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (servers.Count == 3 || !IPAddress.TryParse(text, out var server) || (server.AddressFamily == AddressFamily.InterNetwork && !IsMachines(text, out _)))
            {
                return AddressFault.NameServer;
            }

            servers.Add(server);
        }

        read = new FixedAddress(own, prefixLength, through, servers);
        return AddressFault.None;
    }

    /// <summary>One machine's, written in four numbers: not loopback, not 0.x, no group and none of the reserved ones (RFC 6890).</summary>
    private static bool IsMachines(string? text, out IPAddress address)
    {
        address = IPAddress.None;
        text = text?.Trim();
        if (text is null || text.Count(static c => c == '.') != 3 || !IPAddress.TryParse(text, out var read) || read.AddressFamily != AddressFamily.InterNetwork)
        {
            return false;
        }

        address = read;
        return (Number(read) >> 24) is > 0 and < 224 and not 127;
    }

    private static uint Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        _ = address.TryWriteBytes(bytes, out _);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
