using System.Net;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>What the box wants to be, and to tell, on the local network. Only what is listened on beyond loopback is told.</summary>
public sealed class MdnsOptions
{
    private const string WebType = "_http._tcp";

    /// <summary>Whom peers will meet.</summary>
    public required FeedId Id { get; init; }

    /// <summary>The host name that is wanted, without domain; letters, digits and hyphens, at most 63.</summary>
    public required string HostName { get; init; }

    /// <summary>What the services are called, for people to read; at most 63 bytes of UTF-8.</summary>
    public string ServiceName { get; init; } = "PiPub";

    /// <summary>Whether other peers are looked for, and told of this one. The host name and the page are for the owner, and there in any case.</summary>
    public bool IsDiscoveryOn { get; init; } = true;

    /// <summary>The addresses listened on for peers; empty stands for all.</summary>
    public IReadOnlyList<IPAddress> SsbBind { get; init; } = [];

    /// <summary>The addresses listened on for HTTP and WebSocket; empty stands for all.</summary>
    public IReadOnlyList<IPAddress> WebBind { get; init; } = [];

    /// <summary>The port that peers reach.</summary>
    public int SsbPort { get; init; }

    /// <summary>The port of HTTP and WebSocket.</summary>
    public int WebPort { get; init; }

    /// <summary>Whether anything can be reached from the local network.</summary>
    internal bool IsAnythingReachable => IsBeyondLoopback(SsbBind) || IsBeyondLoopback(WebBind);

    /// <summary>The machine's addresses that something is listened on, by interface; those that lead to a router first, as the daemon takes 32 records.</summary>
    internal List<(int Interface, IPAddress Address)> AddressesOn(IReadOnlyList<LocalNetwork> networks)
    {
        var addresses = new List<(int, IPAddress)>();
        foreach (var network in networks.OrderByDescending(static network => network.Gateways.Count))
        {
            var reachable = network.Addresses.Select(static local => local.Address).Where(address => IsListenedOn(SsbBind, address) || IsListenedOn(WebBind, address)).ToList();

            // As avahi does with the machine's own name: a link-local address only where there is no other.
            var beyondLink = reachable.FindAll(static address => !address.IsIPv6LinkLocal);
            addresses.AddRange((beyondLink.Count > 0 ? beyondLink : reachable).Select(address => (network.Index, address)));
        }

        return addresses;
    }

    /// <summary>The services on a host.</summary>
    internal List<(string Type, int Port, IReadOnlyList<byte[]> Txt)> ServicesOn(string host)
    {
        var services = new List<(string, int, IReadOnlyList<byte[]>)>();
        var isWebReachable = IsBeyondLoopback(WebBind);
        if (isWebReachable)
        {
            services.Add((WebType, WebPort, ["path=/"u8.ToArray()]));
        }

        if (IsDiscoveryOn && IsBeyondLoopback(SsbBind))
        {
            List<MultiserverAddress> addresses = [MultiserverAddress.Of(MultiserverTransport.Net, host, SsbPort, Id)];
            if (isWebReachable)
            {
                addresses.Add(MultiserverAddress.Of(MultiserverTransport.Ws, host, WebPort, Id));
            }

            services.Add((SsbService.Type, SsbPort, SsbService.WriteTxt(Id, addresses)));
        }

        return services;
    }

    private static bool IsBeyondLoopback(IReadOnlyList<IPAddress> bound) => bound.Count == 0 || bound.Any(static address => !IPAddress.IsLoopback(address));

    private static bool IsListenedOn(IReadOnlyList<IPAddress> bound, IPAddress address) =>
        bound.Count == 0 || bound.Contains(IPAddress.Any) || bound.Contains(IPAddress.IPv6Any) || bound.Any(one => one.Equals(address) || (one.IsIPv6LinkLocal && one.GetAddressBytes().AsSpan().SequenceEqual(address.GetAddressBytes())));
}
