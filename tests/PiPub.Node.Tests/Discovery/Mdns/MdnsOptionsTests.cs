using System.Net;
using System.Text;
using PiPub.Node.Discovery.Mdns;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Discovery.Mdns;

/// <summary>What is published: only what is listened on.</summary>
public sealed class MdnsOptionsTests
{
    private static readonly FeedId Id = FeedId.Parse("@opYp5rhnAl1LStpOWBC4vEoIqxkbWDgnBfQh1hQ0JQA=.ed25519");

    private static readonly LocalNetwork[] Networks =
    [
        new(5, "docker0", [Local("172.17.0.1", 16), Local("fe80::5%5", 64)], []),
        new(2, "eth0", [Local("192.168.7.2", 24), Local("fd00:7::2", 64), Local("fe80::2%2", 64)], [IPAddress.Parse("192.168.7.1")]),
        new(3, "wlan0", [Local("fe80::3%3", 64)], []),
    ];

    [Fact]
    public void Page_and_peers_are_published_with_their_ports()
    {
        var services = Options([], []).ServicesOn("pipub.local");

        Assert.Equal([("_http._tcp", 8080), ("_ssb._tcp", 8008)], services.Select(static service => (service.Type, service.Port)));
        Assert.Equal(["path=/"], services[0].Txt.Select(Encoding.ASCII.GetString));
        Assert.Contains("net:pipub.local:8008~shs:", Encoding.ASCII.GetString(services[1].Txt[1]));
        Assert.Contains(";ws://pipub.local:8080~shs:", Encoding.ASCII.GetString(services[1].Txt[1]));
    }

    [Fact]
    public void What_only_this_machine_reaches_is_not_published()
    {
        var service = Assert.Single(Options(ssb: [], web: ["127.0.0.1", "::1"]).ServicesOn("pipub.local"));
        Assert.Equal("_ssb._tcp", service.Type);
        Assert.DoesNotContain("ws:", Encoding.ASCII.GetString(service.Txt[1]));

        Assert.Equal("_http._tcp", Assert.Single(Options(ssb: ["127.0.0.1"], web: ["192.168.7.2"]).ServicesOn("pipub.local")).Type);
        Assert.False(Options(ssb: ["127.0.0.1"], web: ["::1"]).IsAnythingReachable);
        Assert.True(Options(ssb: ["127.0.0.1"], web: ["0.0.0.0"]).IsAnythingReachable);
    }

    [Fact]
    public void Without_discovery_the_page_can_still_be_found_by_the_owner()
    {
        var options = new MdnsOptions { Id = Id, HostName = "pipub", SsbPort = 8008, WebPort = 8080, IsDiscoveryOn = false };

        Assert.Equal("_http._tcp", Assert.Single(options.ServicesOn("pipub.local")).Type);
    }

    [Fact]
    public void The_name_leads_to_each_interface_by_its_own_addresses_the_one_with_a_router_first() =>
        Assert.Equal(
            ["2 192.168.7.2", "2 fd00:7::2", "5 172.17.0.1", "3 fe80::3%3"],
            Options([], []).AddressesOn(Networks).Select(static one => $"{one.Interface} {one.Address}"));

    [Fact]
    public void The_name_leads_only_to_addresses_that_are_listened_on()
    {
        Assert.Equal(
            ["2 192.168.7.2"],
            Options(ssb: ["127.0.0.1"], web: ["192.168.7.2"]).AddressesOn(Networks).Select(static one => $"{one.Interface} {one.Address}"));
        Assert.Equal(4, Options(ssb: ["127.0.0.1"], web: ["::"]).AddressesOn(Networks).Count);
    }

    private static LocalAddress Local(string address, int prefixLength) => new(IPAddress.Parse(address), prefixLength);

    private static MdnsOptions Options(string[] ssb, string[] web) => new()
    {
        Id = Id,
        HostName = "pipub",
        SsbPort = 8008,
        WebPort = 8080,
        SsbBind = [.. ssb.Select(IPAddress.Parse)],
        WebBind = [.. web.Select(IPAddress.Parse)],
    };
}
