using System.Net;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

public sealed class GatewayRoutesTests
{
    private static readonly LocalNetwork Cable = Network(2, "eth0", ["192.168.1.10/24", "2001:db8:1::10/64", "2001:db8:1::11/64", "fd00::10/64", "fe80::10/64"], ["192.168.1.1", "fe80::1"]);
    private static readonly LocalNetwork Wireless = Network(3, "wlan0", ["192.168.1.20/24"], ["192.168.1.1"]);
    private static readonly LocalNetwork Docker = Network(4, "docker0", ["172.17.0.1/16"], []);

    [Fact]
    public void The_way_that_the_kernel_would_take_is_asked_on()
    {
        Assert.Equal("192.168.1.20 via 192.168.1.1 on 3", Describe([Docker, Cable, Wireless], "192.168.1.20", null)[0]);
        Assert.Equal("192.168.1.10 via 192.168.1.1 on 2", Describe([Docker, Cable, Wireless], "192.168.1.10", null)[0]);
    }

    [Fact]
    public void Global_IPv6_addresses_are_all_asked_for_the_one_in_use_first() =>
        Assert.Equal(["2001:db8:1::11 via fe80::1%2 on 2", "2001:db8:1::10 via fe80::1%2 on 2"], Describe([Cable], "192.168.1.10", "2001:db8:1::11")[1..]);

    [Fact]
    public void Addresses_that_are_soon_gone_are_left_out() =>
        Assert.Empty(Describe([Cable with { Addresses = [new LocalAddress(IPAddress.Parse("2001:db8:1::10"), 64, IsTemporary: true)] }], null, null));

    [Fact]
    public void Without_a_router_there_is_none() => Assert.Empty(Describe([Docker], "172.17.0.1", null));

    [Fact]
    public void No_more_IPv6_addresses_than_four_are_asked_for()
    {
        var many = Network(2, "eth0", [.. Enumerable.Range(1, 20).Select(static n => $"2001:db8:1::{n}/64")], ["fe80::1"]);
        Assert.Equal(GatewayRoutes.MaxPinholeAddresses, Describe([many], null, null).Length);
    }

    [Fact]
    public void Of_two_subnets_on_one_interface_the_routers_is_taken()
    {
        var two = Network(2, "eth0", ["10.0.0.5/24", "192.168.1.10/24"], ["192.168.1.1"]);
        Assert.Equal(["192.168.1.10 via 192.168.1.1 on 2"], Describe([two], "10.0.0.5", null));
    }

    private static string[] Describe(LocalNetwork[] networks, string? source4, string? source6) =>
        [.. GatewayRoutes
            .Find(networks, towards => (towards.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? source4 : source6) is { } source ? IPAddress.Parse(source) : null)
            .Select(static route => $"{route.Local.Address} via {route.Gateway} on {route.InterfaceIndex}")];

    private static LocalNetwork Network(int index, string name, string[] addresses, string[] gateways) => new(
        index,
        name,
        [.. addresses.Select(static text => new LocalAddress(IPAddress.Parse(text[..text.IndexOf('/')]), int.Parse(text[(text.IndexOf('/') + 1)..])))],
        [.. gateways.Select(IPAddress.Parse)]);
}
