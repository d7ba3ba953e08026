using System.Net;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

public sealed class SsdpTests
{
    // As miniupnpd 2.3.1 answers.
    private const string Genuine =
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        + "USN: uuid:3db7a6d3-0c46-4813-8c09-0349939d591b::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nEXT:\r\n"
        + "SERVER: Debian/6.1 UPnP/1.1 MiniUPnPd/2.3.1\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\nOPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n"
        + "01-NLS: 1795261968\r\nBOOTID.UPNP.ORG: 1795261968\r\nCONFIGID.UPNP.ORG: 1337\r\n\r\n";

    [Fact]
    public void A_gateways_answer_tells_where_its_description_is() =>
        Assert.Equal("http://192.168.1.1:5000/rootDesc.xml", Read(Genuine)?.AbsoluteUri);

    [Theory]
    [InlineData("ST: urn:schemas-upnp-org:device:InternetGatewayDevice", "ST: urn:schemas-upnp-org:device:MediaServer")]
    [InlineData("HTTP/1.1 200", "NOTIFY *")]
    [InlineData("LOCATION: http", "LOCATION: https")]
    [InlineData("LOCATION: http", "LOCATION: file")]
    [InlineData("192.168.1.1:5000", "router.example:5000")]
    [InlineData("LOCATION:", "X:")]
    public void Others_are_passed_over(string from, string to) => Assert.Null(Read(Genuine.Replace(from, to, StringComparison.Ordinal)));

    [Fact]
    public void What_is_too_long_is_passed_over() => Assert.Null(Read(Genuine + new string('x', 2048)));

    [Fact]
    public void Whatever_arrives_is_read_or_refused_and_never_throws() => Prop.ForAll(
        (from at in Gen.Choose(0, Genuine.Length - 1)
         from noise in ArbMap.Default.GeneratorFor<byte[]>()
         select (byte[])[.. Encoding.Latin1.GetBytes(Genuine[..at]), .. noise, .. Encoding.Latin1.GetBytes(Genuine[at..])]).ToArbitrary(),
        bytes => SsdpMessage.ReadLocation(bytes) is null or { Scheme: "http" }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("http://192.168.1.1:5000/x", "192.168.1.1", true)]
    [InlineData("http://192.168.1.1:5000/x", "192.168.1.66", false)] // a neighbour speaks for the router
    [InlineData("http://192.168.1.66:5000/x", "192.168.1.66", false)] // a neighbour is not the way out
    [InlineData("http://192.168.1.66:5000/x", "192.168.1.1", false)]
    [InlineData("http://127.0.0.1/x", "192.168.1.1", false)]
    [InlineData("http://8.8.8.8/x", "192.168.1.1", false)]
    [InlineData("http://[2001:db8::1]/x", "192.168.1.1", false)]
    public void For_IPv4_only_the_router_itself_is_asked(string location, string sender, bool isTaken) =>
        Assert.Equal(isTaken, SsdpSearch.IsOfGateway(
            new Uri(location), IPAddress.Parse(sender), new GatewayRoute(IPAddress.Parse("192.168.1.1"), new LocalAddress(IPAddress.Parse("192.168.1.10"), 24), 2)));

    [Theory]
    [InlineData("http://[2001:db8:1::1]:5000/x", "2001:db8:1::1", true)]
    [InlineData("http://[2001:db8:1::1]:5000/x", "fe80::1%2", true)]
    [InlineData("http://[2001:db8:1::1]:5000/x", "2001:db8:1::66", false)]
    [InlineData("http://[2001:db8:2::1]:5000/x", "2001:db8:2::1", false)]
    [InlineData("http://[::1]:5000/x", "fe80::1%2", false)]
    [InlineData("http://[fe80::1]:5000/x", "fe80::1%2", false)]
    public void For_IPv6_a_neighbour_that_speaks_for_itself_is_asked(string location, string sender, bool isTaken) =>
        Assert.Equal(isTaken, SsdpSearch.IsOfGateway(
            new Uri(location), IPAddress.Parse(sender), new GatewayRoute(IPAddress.Parse("fe80::1%2"), new LocalAddress(IPAddress.Parse("2001:db8:1::10"), 64), 2)));

    private static Uri? Read(string datagram) => SsdpMessage.ReadLocation(Encoding.Latin1.GetBytes(datagram));
}
