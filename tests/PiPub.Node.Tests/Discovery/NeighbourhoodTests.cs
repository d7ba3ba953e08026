using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Discovery;

public class NeighbourhoodTests
{
    private static readonly KeyPair Somebody = KeyPair.Generate();

    [Theory]
    [InlineData("192.168.7.9", TestLan.Eth, "192.168.7.9")]
    [InlineData("fd00:7::9", TestLan.Eth, "fd00:7::9")]
    [InlineData("fe80::9", TestLan.Eth, "fe80::9%eth0")]
    [InlineData("fe80::9%wlan0", TestLan.Eth, "fe80::9%eth0")]
    [InlineData("[fe80::9]", TestLan.Eth, "fe80::9%eth0")]
    [InlineData("10.200.3.4", TestLan.Wlan, "10.200.3.4")]
    [InlineData("192.168.7.9", TestLan.Wlan, null)]
    [InlineData("192.168.7.9", 0, null)]
    [InlineData("192.168.7.9", 77, null)]
    [InlineData("192.168.8.9", TestLan.Eth, null)]
    [InlineData("8.8.8.8", TestLan.Eth, null)]
    [InlineData("2001:4860:4860::8888", TestLan.Eth, null)]
    [InlineData("fd00:8::9", TestLan.Eth, null)]
    [InlineData("192.168.7.2", TestLan.Eth, null)]
    [InlineData("10.0.0.2", TestLan.Wlan, null)]
    [InlineData("fd00:7::2", TestLan.Eth, null)]
    [InlineData("fe80::2", TestLan.Eth, null)]
    [InlineData("192.168.7.255", TestLan.Eth, null)]
    [InlineData("255.255.255.255", TestLan.Eth, null)]
    [InlineData("224.0.0.251", TestLan.Eth, null)]
    [InlineData("ff02::1", TestLan.Eth, null)]
    [InlineData("127.0.0.1", TestLan.Eth, null)]
    [InlineData("::1", TestLan.Eth, null)]
    [InlineData("0.0.0.0", TestLan.Eth, null)]
    [InlineData("::", TestLan.Eth, null)]
    [InlineData("::ffff:192.168.7.9", TestLan.Eth, null)]
    [InlineData("localhost", TestLan.Eth, null)]
    [InlineData("pub.example.org", TestLan.Eth, null)]
    public void Only_what_is_in_a_subnet_of_the_interface_is_a_neighbour(string host, int network, string? placed)
    {
        using var lan = new TestLan();
        Assert.Equal(placed is not null, lan.Neighbourhood.TryPlace(TestLan.Address(Somebody, host), network, out var address));
        Assert.Equal(placed, address?.Host);
        if (placed is not null)
        {
            Assert.Equal(Somebody.Id, address!.Key);
            Assert.Equal(8008, address.Port);
            Assert.True(address.IsDialable);
        }
    }

    [Theory]
    [InlineData("ws://192.168.7.9:8989~shs:$", true)]
    [InlineData("onion:aaaa.onion:8008~shs:$", false)]
    [InlineData("unix:/tmp/socket~shs:$", false)]
    [InlineData("net:192.168.7.9:8008~noauth", false)]
    [InlineData("ws://[fe80::9]:8989~shs:$", false)]
    public void Only_what_is_reached_by_TCP_or_WebSocket_is_taken(string text, bool isTaken)
    {
        using var lan = new TestLan();
        Assert.True(MultiserverAddress.TryParse(text.Replace("$", Convert.ToBase64String(Somebody.Id.AsSpan()), StringComparison.Ordinal), out var address));
        Assert.Equal(isTaken, lan.Neighbourhood.TryPlace(address, TestLan.Eth, out _));
    }

    [Fact]
    public void An_interface_whose_name_cannot_stand_in_an_address_is_named_by_its_number()
    {
        using var lan = new TestLan();
        lan.ChangeNetworks(TestLan.Interface(5, "we~rd:0", "fe80::2/64"));
        Assert.True(lan.Neighbourhood.TryPlace(TestLan.Address(Somebody, "fe80::9"), 5, out var address));
        Assert.Equal("fe80::9%5", address.Host);
    }
}
