using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>A way from this machine to the internet.</summary>
/// <param name="Gateway">The router that it leads through.</param>
/// <param name="Local">This machine's address on that way.</param>
/// <param name="InterfaceIndex">The kernel's number of the interface.</param>
internal sealed record GatewayRoute(IPAddress Gateway, LocalAddress Local, int InterfaceIndex)
{
    /// <summary>IPv4, where ports are mapped; or IPv6, where the firewall is asked for a pinhole.</summary>
    public AddressFamily Family => Local.Address.AddressFamily;
}

/// <summary>What a router is asked for: TCP connections to a port out there shall reach a port here.</summary>
/// <param name="Route">Which router, and on behalf of which address.</param>
/// <param name="Port">The port that is listened on here.</param>
/// <param name="ExternalPort">The port out there that would be liked best.</param>
/// <param name="ExternalAddress">The address that the router gave the last time; null for any.</param>
/// <param name="Lifetime">How long it shall last without being renewed.</param>
internal sealed record MappingRequest(GatewayRoute Route, int Port, int ExternalPort, IPAddress? ExternalAddress, TimeSpan Lifetime);

/// <summary>What came back.</summary>
internal sealed record MappingAnswer
{
    private MappingAnswer()
    {
    }

    /// <summary>What went wrong, in words a person understands; null when it was granted.</summary>
    public string? Error { get; private init; }

    /// <summary>False when nothing that speaks the protocol answered.</summary>
    public bool IsAnswered { get; private init; }

    /// <summary>The outer address; null when the router did not tell.</summary>
    public IPAddress? ExternalAddress { get; private init; }

    /// <summary>The port out there: 1 to 65535 when granted.</summary>
    public int ExternalPort { get; private init; }

    /// <summary>How long it lasts; null for until it is removed.</summary>
    public TimeSpan? Lifetime { get; private init; }

    /// <summary>The router's seconds since it last forgot its mappings; null where the protocol has none.</summary>
    public uint? Epoch { get; private init; }

    public static MappingAnswer Granted(IPAddress? address, int port, TimeSpan? lifetime, uint? epoch) =>
        new() { IsAnswered = true, ExternalAddress = address, ExternalPort = port, Lifetime = lifetime, Epoch = epoch };

    public static MappingAnswer Refused(string error) => new() { IsAnswered = true, Error = error };

    public static MappingAnswer Silent(string error) => new() { Error = error };
}

/// <summary>One of the protocols in which routers are asked to pass connections on.</summary>
internal interface IMappingClient
{
    /// <summary>Its name.</summary>
    MappingProtocol Protocol { get; }

    /// <summary>
    /// How long to trust the router to still have a mapping, however long it was promised: for protocols that do not tell of a
    /// router's restart. Null for as long as promised.
    /// </summary>
    TimeSpan? LookAgain { get; }

    /// <summary>Whether it can be used for IPv4 (ports) or IPv6 (pinholes).</summary>
    bool Serves(AddressFamily family);

    /// <summary>Asks for a mapping, or renews it. Never throws but for cancelling; takes some seconds when nothing answers.</summary>
    Task<MappingAnswer> MapAsync(MappingRequest request, CancellationToken cancellationToken);

    /// <summary>Takes a mapping back, as well as that can be done: never throws.</summary>
    /// <param name="request">As it was asked for, with the external port that was granted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task UnmapAsync(MappingRequest request, CancellationToken cancellationToken);
}
