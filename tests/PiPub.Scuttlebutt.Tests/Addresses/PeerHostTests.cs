using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Scuttlebutt.Tests.Addresses;

public class PeerHostTests
{
    [Theory]
    [InlineData("127.0.0.1", AddressScope.Device)]
    [InlineData("127.9.9.9", AddressScope.Device)]
    [InlineData("::1", AddressScope.Device)]
    [InlineData("0.0.0.0", AddressScope.Device)]
    [InlineData("::", AddressScope.Device)]
    [InlineData("localhost", AddressScope.Device)]
    [InlineData("box.localhost", AddressScope.Device)]
    [InlineData("10.0.0.1", AddressScope.Local)]
    [InlineData("172.15.0.1", AddressScope.Public)]
    [InlineData("172.16.0.1", AddressScope.Local)]
    [InlineData("172.31.255.255", AddressScope.Local)]
    [InlineData("172.32.0.1", AddressScope.Public)]
    [InlineData("192.168.1.10", AddressScope.Local)]
    [InlineData("::ffff:192.168.1.10", AddressScope.Local)]
    [InlineData("169.254.7.7", AddressScope.Local)]
    [InlineData("100.64.0.1", AddressScope.Local)]
    [InlineData("100.128.0.1", AddressScope.Public)]
    [InlineData("fe80::1%wlan0", AddressScope.Local)]
    [InlineData("fd12:3456::1", AddressScope.Local)]
    [InlineData("2001:db8::1", AddressScope.Public)]
    [InlineData("8.8.8.8", AddressScope.Public)]
    [InlineData("0.1.2.3", AddressScope.Local)]
    [InlineData("224.0.0.251", AddressScope.Local)]
    [InlineData("255.255.255.255", AddressScope.Local)]
    [InlineData("ff02::fb", AddressScope.Local)]
    [InlineData("64:ff9b::192.168.1.10", AddressScope.Local)]
    [InlineData("64:ff9b::127.0.0.1", AddressScope.Device)]
    [InlineData("64:ff9b::8.8.8.8", AddressScope.Public)]
    [InlineData("pipub.local", AddressScope.Local)]
    [InlineData("PIPUB.LAN", AddressScope.Local)]
    [InlineData("raspberry", AddressScope.Local)]
    [InlineData("pub.example.org", AddressScope.Public)]
    [InlineData("abc234.onion", AddressScope.Public)]
    public void A_host_reaches_as_far_as_its_network(string host, AddressScope scope) => Assert.Equal(scope, PeerHost.ScopeOf(host));

    [Theory]
    [InlineData("[::1]", "::1")]
    [InlineData("::1", "::1")]
    [InlineData("[10.0.0.1]", "")]
    [InlineData("[host.example]", "")]
    [InlineData("host.example", "host.example")]
    [InlineData("host..example", "")]
    [InlineData("127.1", "127.1")]
    [InlineData("ho st", "")]
    [InlineData("", "")]
    public void Only_names_and_addresses_are_hosts(string text, string host) => Assert.Equal(host, PeerHost.Clean(text));
}
