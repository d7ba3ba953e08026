using System.Net;
using PiPub.Node.Discovery;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Tests.Discovery;

public class LanAnnouncementsTests
{
    private static readonly KeyPair Self = KeyPair.Generate();
    private static readonly FeedId Other = KeyPair.Generate().Id;

    [Fact]
    public void On_each_interface_its_own_addresses_are_announced_and_no_others()
    {
        Assert.Equal(
            [
                "eth0 192.168.7.255:8008 net:192.168.7.2:8010",
                "eth0 192.168.7.255:26830 net:192.168.7.2:8010",
                "eth0 [ff02::1%2]:8008 net:fe80::2:8010",
                "eth0 [ff02::1%2]:26830 net:fe80::2:8010",
                "eth0 [ff02::1%2]:26830 net:fd00:7::2:8010",
                "wlan0 10.255.255.255:8008 net:10.0.0.2:8010",
                "wlan0 10.255.255.255:26830 net:10.0.0.2:8010",
                "tun0 255.255.255.255:8008 net:172.16.0.1:8010",
                "tun0 255.255.255.255:26830 net:172.16.0.1:8010",
            ],
            Announced());
    }

    [Theory]
    [InlineData("0.0.0.0", "192.168.7.2 10.0.0.2 172.16.0.1")]
    [InlineData("::", "192.168.7.2 fe80::2 fd00:7::2 10.0.0.2 172.16.0.1")]
    [InlineData("10.0.0.2", "10.0.0.2")]
    [InlineData("127.0.0.1", "")]
    [InlineData("fe80::2", "fe80::2")]
    [InlineData("fe80::2%2", "fe80::2")]
    [InlineData("fe80::2%3", "")]
    public void Only_what_is_listened_on_is_announced(string bound, string hosts)
    {
        var announced = Announced(IPAddress.Parse(bound)).Where(line => line.Contains(":26830", StringComparison.Ordinal)).Select(line => line[(line.IndexOf("net:", StringComparison.Ordinal) + 4)..^5]);
        Assert.Equal(hosts, string.Join(' ', announced));
    }

    private static string[] Announced(params IPAddress[] bound)
    {
        var networks = new[]
        {
            TestLan.Interface(2, "eth0", "192.168.7.2/24", "fd00:7::2/64", "fe80::2/64"),
            TestLan.Interface(3, "wlan0", "10.0.0.2/8"),
            TestLan.Interface(4, "tun0", "172.16.0.1/32"),
            TestLan.Interface(5, "down0"),
        };
        return [.. LanAnnouncements.Make(networks, bound, 8010, Self, TestLan.Network).Select(sending =>
        {
            LanAnnouncement? announcement;
            if (sending.Means == LanMeans.Plain)
            {
                Assert.Equal(LanReading.Announced, PlainPacket.Read(sending.Packet, Other, out announcement));
            }
            else
            {
                Assert.Equal(LanReading.Announced, EncryptedPacket.Read(sending.Packet, TestLan.Network, Other, out announcement));
                Assert.True(announcement!.IsVerified);
            }

            var text = Assert.Single(announcement!.Addresses).ToString();
            return $"{sending.InterfaceName} {sending.Destination} {text[..text.IndexOf('~')]}";
        })];
    }
}
