using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using PiPub.Configuration;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Composition;

/// <summary>
/// Under which addresses the box can be reached: the configured public hosts, or else those of this machine's network
/// interfaces; in any case only what is listened on. Looked up anew each time, since a box in a home changes its address.
/// </summary>
internal sealed class BoxAddresses(PiPubOptions options)
{
    /// <summary>The port listened on for peers; known once that has begun.</summary>
    public int SsbPort { get; set; }

    /// <summary>The port listened on for HTTP and WebSocket; known once that has begun.</summary>
    public int WebPort { get; set; }

    /// <summary>All of them, TCP and WebSocket; this machine's own loopback last.</summary>
    public IReadOnlyList<InviteAddress> Current()
    {
        var addresses = new List<InviteAddress>();
        Add(addresses, InviteTransport.Net, SsbPort, options.SsbBind);
        Add(addresses, InviteTransport.Ws, WebPort, options.WebBind);
        return addresses;
    }

    /// <summary>The ports that a router shall pass on to one of this machine's addresses: those that are wanted, and listened on there.</summary>
    public IReadOnlyList<int> PortsToMap(IPAddress local)
    {
        var ports = new List<int>(2);
        if (options.MapPort && SsbPort != 0 && IsListenedOn(local, options.SsbBind))
        {
            ports.Add(SsbPort);
        }

        if (options.MapWebPort && WebPort != 0 && IsListenedOn(local, options.WebBind))
        {
            ports.Add(WebPort);
        }

        return ports;
    }

    private static bool IsListenedOn(IPAddress local, IReadOnlyList<IPAddress> bound) =>
        bound.Count == 0
        || bound.Contains(IPAddress.IPv6Any)
        || bound.Contains(local)
        || (local.AddressFamily == AddressFamily.InterNetwork && bound.Contains(IPAddress.Any));

    private void Add(List<InviteAddress> addresses, InviteTransport transport, int port, IReadOnlyList<IPAddress> bound)
    {
        foreach (var host in options.PublicHosts.Count > 0 ? options.PublicHosts : Hosts(bound))
        {
            addresses.Add(new InviteAddress(transport, host, port));
        }
    }

    private static IEnumerable<string> Hosts(IReadOnlyList<IPAddress> bound)
    {
        var all = bound.Count == 0 || bound.Contains(IPAddress.Any) || bound.Contains(IPAddress.IPv6Any);
        foreach (var address in all ? OfInterfaces() : bound)
        {
            yield return address.ToString();
        }
    }

    private static IEnumerable<IPAddress> OfInterfaces()
    {
        var addresses = new List<IPAddress>();
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            {
                addresses.AddRange(network.GetIPProperties().UnicastAddresses.Select(static unicast => unicast.Address));
            }
        }

        // A link-local address means nothing without the name of an interface; IPv4 is what most clients can dial.
        return addresses
            .Where(static address => !address.IsIPv6LinkLocal && !address.IsIPv6Teredo)
            .OrderBy(static address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .Append(IPAddress.Loopback);
    }
}
