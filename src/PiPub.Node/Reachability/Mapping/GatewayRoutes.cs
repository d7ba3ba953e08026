using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>
/// Which router is asked for which of this machine's addresses: the one that the kernel would send to the internet through.
/// A machine with cable and Wi-Fi has one way out for IPv4, and asks there only.
/// </summary>
internal static class GatewayRoutes
{
    /// <summary>IPv6 addresses of one interface that pinholes are asked for, at most.</summary>
    public const int MaxPinholeAddresses = 4;

    // Any address that is not near does: nothing is sent there.
    private static readonly IPAddress SomewhereV4 = IPAddress.Parse("198.51.100.1");
    private static readonly IPAddress SomewhereV6 = IPAddress.Parse("2001:db8:ffff:ffff::1");
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>The ways out, IPv4 first.</summary>
    /// <param name="networks">The interfaces that are up.</param>
    /// <param name="sourceTowards">The kernel's choice of a source address; null when it knows no way.</param>
    public static IReadOnlyList<GatewayRoute> Find(IReadOnlyList<LocalNetwork> networks, Func<IPAddress, IPAddress?> sourceTowards)
    {
        var routes = new List<GatewayRoute>();
        AddIPv4(routes, networks, sourceTowards(SomewhereV4));
        AddIPv6(routes, networks, sourceTowards(SomewhereV6));
        return routes;
    }

    /// <summary>The source address that the kernel would send from. Sends nothing.</summary>
    public static IPAddress? KernelSource(IPAddress destination)
    {
        try
        {
            using var socket = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(destination, 9);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static void AddIPv4(List<GatewayRoute> routes, IReadOnlyList<LocalNetwork> networks, IPAddress? source)
    {
        if (Choose(networks, AddressFamily.InterNetwork, source) is not { } network)
        {
            return;
        }

        var gateway = GatewayOf(network, AddressFamily.InterNetwork)!;
        var local = network.Addresses.FirstOrDefault(address => address.Address.Equals(source) && address.IsNeighbour(gateway))
            ?? network.Addresses.FirstOrDefault(address => address.IsNeighbour(gateway))
            ?? network.Addresses.FirstOrDefault(static address => address.Address.AddressFamily == AddressFamily.InterNetwork);
        if (local is not null)
        {
            routes.Add(new GatewayRoute(gateway, local, network.Index));
        }
    }

    private static void AddIPv6(List<GatewayRoute> routes, IReadOnlyList<LocalNetwork> networks, IPAddress? source)
    {
        if (Choose(networks, AddressFamily.InterNetworkV6, source) is not { } network)
        {
            return;
        }

        var gateway = GatewayOf(network, AddressFamily.InterNetworkV6)!;
        if (gateway.IsIPv6LinkLocal && gateway.ScopeId == 0)
        {
            gateway = new IPAddress(gateway.GetAddressBytes(), network.Index);
        }

        routes.AddRange(network.Addresses
            .Where(static address => address.Address.AddressFamily == AddressFamily.InterNetworkV6 && GlobalUnicast.Contains(address.Address) && !address.IsTemporary)
            .OrderBy(address => address.Address.Equals(source) ? 0 : 1)
            .Take(MaxPinholeAddresses)
            .Select(address => new GatewayRoute(gateway, address, network.Index)));
    }

    private static LocalNetwork? Choose(IReadOnlyList<LocalNetwork> networks, AddressFamily family, IPAddress? source)
    {
        LocalNetwork? first = null;
        foreach (var network in networks)
        {
            if (GatewayOf(network, family) is null)
            {
                continue;
            }

            if (source is not null && network.Addresses.Any(address => address.Address.Equals(source)))
            {
                return network;
            }

            first ??= network;
        }

        return first;
    }

    private static IPAddress? GatewayOf(LocalNetwork network, AddressFamily family) =>
        network.Gateways.FirstOrDefault(gateway => gateway.AddressFamily == family && !gateway.Equals(IPAddress.Any) && !gateway.Equals(IPAddress.IPv6Any));
}
