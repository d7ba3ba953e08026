using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Node.Discovery;

/// <summary>
/// Judges which of the addresses that are told on the local network may be dialled: only those in a subnet of the very
/// interface on which they were told. Otherwise one packet could make the box dial the internet, a router or itself.
/// </summary>
public sealed class Neighbourhood(NetworkWatch watch)
{
    /// <summary>
    /// Finds out whether an address can be where it was told, and makes it one that can be dialled from here. False for names
    /// (which would have to be asked for elsewhere), for loopback, unspecified, multicast and broadcast addresses, for those of
    /// this machine, and for those outside the interface's subnets.
    /// </summary>
    /// <param name="told">The address as it was told; a zone in it is the teller's and means nothing here.</param>
    /// <param name="interfaceIndex">The interface on which it was told.</param>
    /// <param name="placed">The address, a link-local IPv6 host with the interface as its zone.</param>
    public bool TryPlace(MultiserverAddress told, int interfaceIndex, [NotNullWhen(true)] out MultiserverAddress? placed)
    {
        ArgumentNullException.ThrowIfNull(told);
        placed = null;
        if (!told.IsDialable || told.Key is not { } feed || Find(interfaceIndex) is not { } network
            || told.Transport is not (MultiserverTransport.Net or MultiserverTransport.Ws or MultiserverTransport.Wss)
            || !PeerHost.TryParseAddress(WithoutZone(told.Host), out var ip) || !IsIn(network, ip)
            || watch.IsOwn(ip.IsIPv6LinkLocal ? new IPAddress(ip.GetAddressBytes(), interfaceIndex) : ip))
        {
            return false;
        }

        if (!ip.IsIPv6LinkLocal)
        {
            placed = told.Host.Contains('%') ? MultiserverAddress.Of(told.Transport, ip.ToString(), told.Port, feed) : told;
            return true;
        }

        // A URL has no place for a zone.
        return told.Transport == MultiserverTransport.Net
            && MultiserverAddress.TryParse($"net:{ip}%{ZoneOf(network)}:{told.Port}~shs:{Convert.ToBase64String(feed.AsSpan())}", out placed);
    }

    /// <summary>Whether a host lies in one of an interface's subnets.</summary>
    internal bool IsNeighbour(IPAddress address, int interfaceIndex) => Find(interfaceIndex) is { } network && IsIn(network, address);

    /// <summary>The interface's name, or null when there is no such interface now.</summary>
    internal string? NameOf(int interfaceIndex) => Find(interfaceIndex)?.Name;

    private static bool IsIn(LocalNetwork network, IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.IsIPv4MappedToIPv6 || address.IsIPv6Multicast
            || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.Broadcast)
            || (address.AddressFamily == AddressFamily.InterNetwork && (address.GetAddressBytes()[0] & 0xF0) == 0xE0))
        {
            return false;
        }

        if (address.IsIPv6LinkLocal)
        {
            // fe80::/10 is on every link.
            return true;
        }

        foreach (var own in network.Addresses)
        {
            if (own.PrefixLength > 0 && own.IsNeighbour(address) && !address.Equals(own.Broadcast))
            {
                return true;
            }
        }

        return false;
    }

    private static string WithoutZone(string host) => host.IndexOf('%') is >= 0 and var zone ? host[..zone] : host;

    /// <summary>The interface's name where it can stand in an address, else its number.</summary>
    private static string ZoneOf(LocalNetwork network)
    {
        foreach (var c in network.Name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return network.Index.ToString();
            }
        }

        return network.Name;
    }

    private LocalNetwork? Find(int index)
    {
        foreach (var network in watch.Current)
        {
            if (network.Index == index)
            {
                return network;
            }
        }

        return null;
    }
}
