using System.Net;
using PiPub.Node.Invites;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Reachability;

/// <summary>Which addresses go into invites, from the interfaces, the router, the owner's word and the proofs.</summary>
public class OfferedAddressesTests
{
    private static readonly ProofState Proven = new(true, DateTimeOffset.UnixEpoch, null, 1, false, 0);
    private static readonly ProofState Failed = new(false, null, null, 0, true, 1);

    private readonly List<LocalNetwork> _networks = [Network("eth0", "192.168.1.1", "192.168.1.20", "fe80::20", "2001:db8::20")];
    private readonly List<PortMapping> _mappings = [];
    private readonly Dictionary<string, ProofState> _proofs = [];
    private ReachOptions _options = new();
    private string? _observed;

    [Fact]
    public void What_is_not_proven_stays_at_home()
    {
        _mappings.Add(Mapping("203.0.113.5"));
        Assert.Equal(["net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());
    }

    [Fact]
    public void A_proven_mapping_comes_first_and_IPv6_after_it()
    {
        _mappings.Add(Mapping("203.0.113.5"));
        _proofs["2001:db8::20:8008"] = _proofs["203.0.113.5:8008"] = Proven;
        Assert.Equal(["net:203.0.113.5:8008", "net:2001:db8::20:8008", "net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());
    }

    [Fact]
    public void What_failed_is_no_longer_given()
    {
        _mappings.Add(Mapping("203.0.113.5"));
        _proofs["203.0.113.5:8008"] = Failed;
        Assert.Equal(["net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());
    }

    [Fact]
    public void The_web_port_is_public_only_when_it_is_mapped_and_proven()
    {
        _mappings.Add(Mapping("203.0.113.5"));
        _mappings.Add(Mapping("203.0.113.5", 8080, 18080));
        _proofs["203.0.113.5:8008"] = Proven;
        Assert.DoesNotContain("ws:203.0.113.5:18080", Best());
        _proofs["203.0.113.5:18080"] = Proven;
        Assert.Equal(["net:203.0.113.5:8008", "ws:203.0.113.5:18080"], Best().Take(2));
    }

    [Fact]
    public void The_owners_word_comes_first_proven_or_not()
    {
        _options = _options with { PublicHosts = ["pub.example.org"] };
        _mappings.Add(Mapping("203.0.113.5"));
        _proofs["203.0.113.5:8008"] = Proven;
        Assert.Equal(["net:pub.example.org:8008", "net:203.0.113.5:8008", "ws:pub.example.org:8080", "net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());

        _proofs["pub.example.org:8008"] = _proofs["pub.example.org:8080"] = Failed;
        Assert.Equal(["net:pub.example.org:8008", "net:203.0.113.5:8008", "net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());
    }

    [Fact]
    public void What_peers_see_counts_when_it_is_proven()
    {
        _observed = "203.0.113.5";
        Assert.DoesNotContain("net:203.0.113.5:8008", Best());
        _proofs["203.0.113.5:8008"] = Proven;
        Assert.Equal("net:203.0.113.5:8008", Best()[0]);
    }

    [Fact]
    public void An_address_of_the_providers_network_is_never_given()
    {
        _mappings.Add(Mapping("100.64.1.2"));
        _mappings.Add(Mapping("10.0.0.2"));
        _proofs["100.64.1.2:8008"] = _proofs["10.0.0.2:8008"] = Proven;
        Assert.Equal(["net:192.168.1.20:8008", "ws:192.168.1.20:8080"], Best());
    }

    [Fact]
    public void Loopback_and_link_local_addresses_are_for_whoever_has_nothing_else()
    {
        _networks.Clear();
        Assert.Equal(["net:127.0.0.1:8008", "ws:127.0.0.1:8080"], Best());
        _networks.Add(Network("eth0", null, "169.254.7.7", "fe80::20"));
        Assert.Equal(["net:169.254.7.7:8008", "ws:169.254.7.7:8080"], Best());
        _networks.Add(Network("wlan0", null, "10.0.0.7"));
        Assert.Equal(["net:10.0.0.7:8008", "ws:10.0.0.7:8080"], Best());
    }

    [Fact]
    public void A_rented_server_gives_its_address_before_anybody_has_tried_it()
    {
        _networks.Clear();
        _networks.Add(Network("docker0", null, "172.17.0.1"));
        _networks.Add(Network("eth0", "203.0.113.1", "203.0.113.80"));
        Assert.Equal("net:203.0.113.80:8008", Best()[0]);
        _proofs["203.0.113.80:8008"] = Failed;
        Assert.DoesNotContain("net:203.0.113.80:8008", Best());
        Assert.Contains("net:172.17.0.1:8008", Best());
    }

    [Fact]
    public void Only_what_is_listened_on_is_given()
    {
        _options = _options with { SsbBind = [IPAddress.Parse("192.168.1.20")], WebBind = [IPAddress.Loopback] };
        _networks.Add(Network("wlan0", null, "10.0.0.7"));
        Assert.Equal(["net:192.168.1.20:8008"], Best());
    }

    [Fact]
    public void Temporary_IPv6_addresses_come_last()
    {
        _networks.Clear();
        _networks.Add(new LocalNetwork(2, "eth0", [new(IPAddress.Parse("2001:db8::1234"), 64, true), new(IPAddress.Parse("2001:db8::20"), 64)], [IPAddress.Parse("fe80::1")]));
        _proofs["2001:db8::1234:8008"] = _proofs["2001:db8::20:8008"] = Proven;
        Assert.Equal(["net:2001:db8::20:8008", "net:2001:db8::1234:8008"], Best());
    }

    [Fact]
    public void GetAddress_tells_each_scope()
    {
        var box = KeyPair.Generate().Id;
        var key = Convert.ToBase64String(box.AsSpan());
        _mappings.Add(Mapping("203.0.113.5"));
        Assert.Null(Addresses().AddressOf(box, "public"));
        _proofs["203.0.113.5:8008"] = Proven;
        Assert.Equal($"net:203.0.113.5:8008~shs:{key}", Addresses().AddressOf(box, "public"));
        Assert.Equal($"net:192.168.1.20:8008~shs:{key};ws://192.168.1.20:8080~shs:{key}", Addresses().AddressOf(box, "local"));
    }

    private static LocalNetwork Network(string name, string? gateway, params string[] addresses) => new(
        2, name, [.. addresses.Select(static a => new LocalAddress(IPAddress.Parse(a), 24))], gateway is null ? [] : [IPAddress.Parse(gateway)]);

    private static PortMapping Mapping(string outer, int inside = 8008, int outside = 8008) =>
        new(MappingProtocol.Pcp, inside, IPAddress.Parse(outer), outside, null);

    private InviteAddresses Addresses() => new(() => OfferedAddresses.Choose(
    [
        .. AddressCandidates.Find(_options, new Whereabouts(8008, 8080, _networks, _mappings, _observed is null ? null : IPAddress.Parse(_observed)))
            .Select(c => (c, _proofs.GetValueOrDefault($"{c.Address.Host}:{c.Address.Port}", ProofState.Untried))),
    ]));

    private List<string> Best() => [.. Addresses().Best().Select(static a => $"{a.Transport.ToString().ToLowerInvariant()}:{a.Host}:{a.Port}")];
}
