using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Discovery;

/// <summary>A packet, and where it goes.</summary>
/// <param name="Means">Plain or encrypted.</param>
/// <param name="Interface">Index of the interface that it leaves by.</param>
/// <param name="InterfaceName">The interface's name, for the log.</param>
/// <param name="Destination">The subnet's broadcast address, or all nodes of the link.</param>
/// <param name="Packet">The bytes.</param>
internal sealed record LanSending(LanMeans Means, int Interface, string InterfaceName, IPEndPoint Destination, byte[] Packet)
{
    /// <summary>The destination as the kernel takes it, made once.</summary>
    public SocketAddress To { get; } = Destination.Serialize();
}

/// <summary>
/// What the box announces where: on each interface that interface's own addresses, as far as the port for peers is listened on
/// there. IPv4 addresses go to their own subnet's broadcast address, IPv6 addresses to all nodes of the link (ff02::1).
/// </summary>
internal static class LanAnnouncements
{
    /// <summary>No more addresses of one family are announced on an interface.</summary>
    private const int MaxAddresses = 4;

    private static readonly IPAddress AllNodes = IPAddress.Parse("ff02::1");

    /// <summary>Makes all packets for the networks as they are; to be made anew when those change.</summary>
    /// <param name="networks">The interfaces.</param>
    /// <param name="bound">The addresses listened on; empty for all.</param>
    /// <param name="port">The port listened on for peers.</param>
    /// <param name="self">Who announces.</param>
    /// <param name="network">The key of the network.</param>
    public static IReadOnlyList<LanSending> Make(
        IReadOnlyList<LocalNetwork> networks, IReadOnlyList<IPAddress> bound, int port, KeyPair self, NetworkKey network)
    {
        var sendings = new List<LanSending>();
        foreach (var local in networks)
        {
            foreach (var family in (ReadOnlySpan<AddressFamily>)[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
            {
                foreach (var own in local.Addresses
                    .Where(own => own.Address.AddressFamily == family && IsBound(own.Address, bound))
                    .OrderByDescending(static own => own.Address.IsIPv6LinkLocal)
                    .ThenBy(static own => own.IsTemporary)
                    .Take(MaxAddresses))
                {
                    Add(sendings, local, own, MultiserverAddress.Of(MultiserverTransport.Net, own.Address.ToString(), port, self.Id), self, network);
                }
            }
        }

        return sendings;
    }

    private static void Add(List<LanSending> sendings, LocalNetwork local, LocalAddress own, MultiserverAddress address, KeyPair self, NetworkKey network)
    {
        var to = own.Address.AddressFamily == AddressFamily.InterNetwork
            ? own.Broadcast ?? IPAddress.Broadcast
            : new IPAddress(AllNodes.GetAddressBytes(), local.Index);
        if (to.AddressFamily == AddressFamily.InterNetwork || own.Address.IsIPv6LinkLocal)
        {
            // Sent to a link, packets come from the link-local address; a plain one that speaks of another would not be believed.
            sendings.Add(new LanSending(LanMeans.Plain, local.Index, local.Name, new IPEndPoint(to, PlainPacket.Port), PlainPacket.Write(address)));
        }

        sendings.Add(new LanSending(LanMeans.Encrypted, local.Index, local.Name, new IPEndPoint(to, EncryptedPacket.Port), EncryptedPacket.Write(address, network, self)));
    }

    private static bool IsBound(IPAddress address, IReadOnlyList<IPAddress> bound)
    {
        if (bound.Count == 0)
        {
            return true;
        }

        foreach (var one in bound)
        {
            // Listening on :: takes IPv4 too.
            if (one.Equals(address) || one.Equals(IPAddress.IPv6Any)
                || (one.Equals(IPAddress.Any) && address.AddressFamily == AddressFamily.InterNetwork)
                || (one.IsIPv6LinkLocal && one.ScopeId == 0 && address.IsIPv6LinkLocal && one.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes())))
            {
                return true;
            }
        }

        return false;
    }
}
