using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability;

/// <summary>How a router is asked to pass connections on.</summary>
public enum MappingProtocol
{
    /// <summary>Port Control Protocol. Source: RFC 6887.</summary>
    Pcp,

    /// <summary>NAT Port Mapping Protocol. Source: RFC 6886.</summary>
    NatPmp,

    /// <summary>UPnP Internet Gateway Device, AddPortMapping (IPv4) and AddPinhole (IPv6).</summary>
    Upnp,
}

/// <summary>A router passes connections on to this machine.</summary>
/// <param name="Protocol">How it was asked to.</param>
/// <param name="InternalPort">The port that is listened on here.</param>
/// <param name="ExternalAddress">
/// The router's outer address, or this machine's own IPv6 address for a pinhole. Null when the router does not tell. It may be a
/// private one: then there is another router behind the router.
/// </param>
/// <param name="ExternalPort">The port out there; the router may give another one than was asked for.</param>
/// <param name="ExpiresAt">Until when, if it is not renewed; null for a router that keeps it until it is removed.</param>
public sealed record PortMapping(MappingProtocol Protocol, int InternalPort, IPAddress? ExternalAddress, int ExternalPort, DateTimeOffset? ExpiresAt);

/// <summary>How a router answered (or did not) when it was asked by one protocol.</summary>
/// <param name="Protocol">How it was asked.</param>
/// <param name="Error">What went wrong, in words a person understands; null when it did as asked.</param>
/// <param name="IsAnswered">False when nothing answered at all: the router does not speak the protocol, or it is switched off there.</param>
public sealed record MappingAttempt(MappingProtocol Protocol, string? Error, bool IsAnswered)
{
    /// <summary>Whether a port of an IPv4 address was to be mapped, or the firewall to be opened for an IPv6 address.</summary>
    public AddressFamily Family { get; init; } = AddressFamily.InterNetwork;
}

/// <summary>What has come of asking the routers.</summary>
/// <param name="IsOn">False when the owner has switched it off.</param>
/// <param name="Gateway">The router that was asked; null when the machine has none.</param>
/// <param name="Mappings">What they pass on now.</param>
/// <param name="Attempts">How the last round of asking went, protocol by protocol, in the order tried.</param>
/// <param name="IsSettled">False until the first round has ended, and while a round is under way after the network changed.</param>
public sealed record PortMappingState(
    bool IsOn, IPAddress? Gateway, IReadOnlyList<PortMapping> Mappings, IReadOnlyList<MappingAttempt> Attempts, bool IsSettled);

/// <summary>Keeps the router passing connections on.</summary>
public interface IPortMappings
{
    /// <summary>Raised, on whatever thread, when <see cref="State"/> is another. Handlers must return at once.</summary>
    event Action? Changed;

    /// <summary>How it stands.</summary>
    PortMappingState State { get; }
}
