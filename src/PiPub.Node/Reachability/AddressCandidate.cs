using System.Net;
using System.Net.Sockets;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Reachability;

/// <summary>How the box came to think that it can be reached at an address.</summary>
public enum AddressOrigin
{
    /// <summary>The owner said so.</summary>
    Configured,

    /// <summary>A router passes the port on.</summary>
    Mapping,

    /// <summary>It is the address of a network interface of this machine.</summary>
    Interface,

    /// <summary>Peers see the box come from there; it works if the router was told by hand to pass the port on.</summary>
    Observed,
}

/// <summary>An address at which the box may be reached, proven or not.</summary>
/// <param name="Address">The address.</param>
/// <param name="Origin">Where it is from.</param>
/// <param name="Rank">Among those of one origin: 0 is best. Temporary IPv6 addresses, and interfaces without a router, come last.</param>
public sealed record AddressCandidate(InviteAddress Address, AddressOrigin Origin, int Rank = 0)
{
    /// <summary>How far the address means anything.</summary>
    public AddressScope Scope { get; } = PeerHost.ScopeOf(Address.Host);

    /// <summary>True for IPv6 addresses; names may be either.</summary>
    public bool IsIPv6 => Ip?.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>The host as an IP address; null for a name.</summary>
    public IPAddress? Ip { get; } = PeerHost.TryParseAddress(Address.Host, out var ip) ? ip : null;

    /// <summary>Host and port as a person reads them.</summary>
    public string Text => $"{(IsIPv6 ? $"[{Address.Host}]" : Address.Host)}:{Address.Port}";

    /// <summary>The multiserver address.</summary>
    public string ToMultiserver(FeedId box) => MultiserverAddress.Of(
        Address.Transport switch
        {
            InviteTransport.Ws => MultiserverTransport.Ws,
            InviteTransport.Wss => MultiserverTransport.Wss,
            InviteTransport.Onion => MultiserverTransport.Onion,
            _ => MultiserverTransport.Net,
        },
        Address.Host,
        Address.Port,
        box).ToString();
}
