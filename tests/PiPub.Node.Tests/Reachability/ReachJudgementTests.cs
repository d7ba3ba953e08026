using System.Net;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Reachability;

public class ReachJudgementTests
{
    private const string Observed = "203.0.113.5";
    private static readonly FeedId Friend = KeyPair.Generate().Id;
    private static readonly DateTimeOffset At = new(2026, 11, 20, 8, 15, 0, TimeSpan.Zero);
    private static readonly ProofState Proven = new(true, At, Friend, 2, false, 0);
    private static readonly ProofState ProvenOnce = new(true, At, null, 1, false, 0);
    private static readonly ProofState Failed = new(false, null, null, 0, true, 2);

    private readonly Home _home = new();

    [Fact]
    public void Works()
    {
        _home.Map(Observed);
        Assert.Equal(
            (true, "proven", "This box can be reached from outside: 2 peers have connected to 203.0.113.5:8008.", null),
            _home.Judge(("203.0.113.5", Proven)));
        Assert.Equal(
            (true, "proven", "This box can be reached from outside: a peer has connected to 203.0.113.5:8008.", null),
            _home.Judge(("203.0.113.5", ProvenOnce)));
    }

    [Fact]
    public void Port_forwarding_set_up_by_hand_works()
    {
        _home.Attempts(null, null, null);
        _home.Observed = Observed;
        var (isReachable, reason, _, _) = _home.Judge((Observed, Proven));
        Assert.Equal((true, "proven"), (isReachable, reason));
    }

    [Fact]
    public void No_mapping_protocol()
    {
        _home.Attempts(null, null, null);
        Assert.Equal(
            (
                false,
                "no-mapping-protocol",
                "Your router did not answer to PCP, NAT-PMP or UPnP, so nobody from outside can reach this box.",
                "Switch on UPnP or port forwarding of TCP port 8008 to 192.168.1.20 in the router's settings."),
            _home.Judge());
    }

    [Fact]
    public void No_mapping_protocol_but_perhaps_IPv6()
    {
        _home.Attempts(null, null, null);
        _home.Addresses.Add("2001:db8::20");
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((null, "no-mapping-protocol"), (isReachable, reason));
        Assert.Contains("IPv6 (2001:db8::20) was not tried yet", summary, StringComparison.Ordinal);
        Assert.Equal(false, _home.Judge(("2001:db8::20", Failed)).IsReachable);
    }

    [Fact]
    public void The_router_answers_and_refuses()
    {
        _home.Attempts(null, null, "It is not allowed to.");
        var (isReachable, reason, summary, advice) = _home.Judge();
        Assert.Equal((false, "mapping-refused"), (isReachable, reason));
        Assert.Equal("Your router would not pass connections on, so nobody from outside can reach this box: it is not allowed to.", summary);
        Assert.Contains("port forwarding of TCP port 8008 to 192.168.1.20", advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("100.64.3.4")]
    [InlineData("100.127.255.254")]
    public void The_providers_NAT(string outer)
    {
        _home.Map(outer);
        var (isReachable, reason, summary, advice) = _home.Judge();
        Assert.Equal((false, "carrier-nat"), (isReachable, reason));
        Assert.Equal($"Your internet provider gives your router an address that many customers share ({outer}, carrier NAT), so nobody from outside can reach this box.", summary);
        Assert.Contains("Ask your internet provider", advice, StringComparison.Ordinal);
        Assert.Contains("carrier NAT", _home.ProblemOf(outer), StringComparison.Ordinal);
    }

    [Fact]
    public void The_providers_NAT_behind_a_public_address()
    {
        _home.Map("198.51.100.1");
        _home.Observed = Observed;
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((false, "carrier-nat"), (isReachable, reason));
        Assert.Contains("peers outside see this box come from 203.0.113.5, while your router's outer address is 198.51.100.1", summary, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("203.0.113.5 instead", _home.ProblemOf("198.51.100.1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("192.168.0.12")]
    [InlineData("10.1.2.3")]
    [InlineData("172.20.0.2")]
    public void A_router_behind_the_router(string outer)
    {
        _home.Map(outer);
        var (isReachable, reason, summary, advice) = _home.Judge();
        Assert.Equal((false, "double-nat"), (isReachable, reason));
        Assert.Equal($"Your router (192.168.1.1) is behind another router: its outer address {outer} is a private one, so nobody from outside can reach this box.", summary);
        Assert.Contains($"have the outer one pass TCP port 8008 on to {outer}", advice, StringComparison.Ordinal);
        Assert.Contains("another router", _home.ProblemOf(outer), StringComparison.Ordinal);
    }

    [Fact]
    public void A_firewall_in_front_of_the_mapping()
    {
        _home.Map(Observed);
        _home.Observed = Observed;
        var (isReachable, reason, summary, advice) = _home.Judge((Observed, Failed));
        Assert.Equal((false, "firewall"), (isReachable, reason));
        Assert.Equal("Your router (192.168.1.1) passes 203.0.113.5:8008 on to this box, but peers outside tried and could not connect: a firewall seems to be in the way.", summary);
        Assert.Contains("TCP port 8008", advice, StringComparison.Ordinal);
        Assert.Equal("2 peers outside tried it and could not connect.", _home.ProblemOf(Observed, (Observed, Failed)));
    }

    [Fact]
    public void A_firewall_in_front_of_a_public_address()
    {
        _home.Addresses.Add("203.0.113.80");
        var (isReachable, reason, summary, _) = _home.Judge(("203.0.113.80", Failed));
        Assert.Equal((false, "firewall"), (isReachable, reason));
        Assert.StartsWith("This box has the public address 203.0.113.80,", summary, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_could_be_asked()
    {
        _home.Map(Observed);
        var (isReachable, reason, summary, advice) = _home.Judge();
        Assert.Equal((null, "unproven"), (isReachable, reason));
        Assert.Equal("Your router (192.168.1.1) passes 203.0.113.5:8008 on to this box, but no peer outside has tried yet whether that works.", summary);
        Assert.NotNull(advice);
        Assert.Equal("No peer outside has tried it yet.", _home.ProblemOf(Observed));
        Assert.Equal("It worked last on 2026-11-20 08:15 UTC, and nobody has come in by it since.", _home.ProblemOf(Observed, (Observed, new(false, At, Friend, 0, false, 0))));
    }

    [Fact]
    public void The_router_is_still_being_asked()
    {
        _home.IsSettled = false;
        Assert.Equal((null, "unproven", "Your router is being asked to pass connections on.", null), _home.Judge());
    }

    [Fact]
    public void Only_IPv6_works()
    {
        _home.Attempts(null, null, null);
        _home.Addresses.Add("2001:db8::20");
        var (isReachable, reason, summary, advice) = _home.Judge(("2001:db8::20", Proven));
        Assert.Equal((true, "ipv6-only"), (isReachable, reason));
        Assert.Equal("This box can be reached from outside at [2001:db8::20]:8008, but only by people whose network has IPv6.", summary);
        Assert.Contains("port forwarding", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void No_router()
    {
        _home.Gateway = null;
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((false, "no-gateway", "This box found no router in its network, so nobody from outside can reach this box."), (isReachable, reason, summary));
    }

    [Fact]
    public void No_network()
    {
        _home.Gateway = null;
        _home.Addresses.Clear();
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((false, "no-gateway", "This box is not connected to any network."), (isReachable, reason, summary));
    }

    [Fact]
    public void The_owner_does_not_want_the_router_to_be_asked()
    {
        _home.IsOn = false;
        var (isReachable, reason, summary, advice) = _home.Judge();
        Assert.Equal((null, "off"), (isReachable, reason));
        Assert.Contains("switched off (map-port)", summary, StringComparison.Ordinal);
        Assert.Contains("TCP port 8008 on to 192.168.1.20", advice, StringComparison.Ordinal);
        _home.Observed = Observed;
        Assert.Equal(false, _home.Judge((Observed, Failed)).IsReachable);
        Assert.Equal("proven", _home.Judge((Observed, Proven)).Reason);
    }

    [Fact]
    public void Configured()
    {
        _home.Attempts(null, null, null);
        _home.PublicHosts.Add("pub.example.org");
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((null, "configured", "You have set that this box is reached at pub.example.org:8008; no peer outside has tried that yet."), (isReachable, reason, summary));

        (isReachable, reason, summary, var advice) = _home.Judge(("pub.example.org", Failed));
        Assert.Equal((false, "configured"), (isReachable, reason));
        Assert.Equal("You have set that this box is reached at pub.example.org:8008, but peers outside tried and could not connect.", summary);
        Assert.Contains("pass TCP port 8008 on to 192.168.1.20", advice, StringComparison.Ordinal);

        Assert.Equal((true, "proven"), (_home.Judge(("pub.example.org", Proven)).IsReachable, _home.Judge(("pub.example.org", Proven)).Reason));
    }

    [Fact]
    public void Configured_wrongly_while_another_address_works()
    {
        _home.Map(Observed);
        _home.PublicHosts.Add("old.example.org");
        var (isReachable, reason, _, advice) = _home.Judge(("old.example.org", Failed), (Observed, Proven));
        Assert.Equal((true, "proven"), (isReachable, reason));
        Assert.Contains("old.example.org:8008, which public-host names", advice, StringComparison.Ordinal);
    }

    [Fact]
    public void Configured_with_an_address_of_the_home_network()
    {
        _home.PublicHosts.Add("192.168.1.20");
        var (isReachable, reason, summary, _) = _home.Judge();
        Assert.Equal((false, "configured", "The configured public-host 192.168.1.20 is known in the home network only, so nobody from outside can reach this box."), (isReachable, reason, summary));
        Assert.NotNull(_home.ProblemOf("192.168.1.20"));
    }

    [Fact]
    public void Addresses_of_the_home_network_have_no_problem() => Assert.Null(_home.ProblemOf("192.168.1.20"));

    /// <summary>A home as the box finds it; the tests change what is special.</summary>
    private sealed class Home
    {
        private PortMapping[] _mappings = [];
        private MappingAttempt[] _attempts = [];

        public List<string> Addresses { get; } = ["192.168.1.20", "fe80::20"];

        public List<string> PublicHosts { get; } = [];

        public string? Gateway { get; set; } = "192.168.1.1";

        public string? Observed { get; set; }

        public bool IsOn { get; set; } = true;

        public bool IsSettled { get; set; } = true;

        public void Map(string outer) => _mappings = [new(MappingProtocol.Upnp, 8008, IPAddress.Parse(outer), 8008, null)];

        /// <summary>What became of PCP, NAT-PMP and UPnP: null for no answer.</summary>
        public void Attempts(params string?[] errors) =>
            _attempts = [.. errors.Select(static (error, i) => new MappingAttempt((MappingProtocol)i, error ?? "no answer", error is not null))];

        public (bool? IsReachable, string Reason, string Summary, string? Advice) Judge(params (string Host, ProofState Proof)[] tried)
        {
            var report = Report(tried);
            var (summary, advice) = (report.Summary.ToString(), report.Advice?.ToString());
            Assert.EndsWith(".", summary, StringComparison.Ordinal);
            Assert.DoesNotContain(". ", summary, StringComparison.Ordinal);
            Assert.True(advice is null || advice.EndsWith('.'));
            return (report.IsReachable, report.Reason, summary, advice);
        }

        public string? ProblemOf(string host, params (string Host, ProofState Proof)[] tried) =>
            Report(tried).Addresses.First(a => a.Candidate.Address is { Port: 8008 } address && address.Host == host).Problem?.ToString();

        private ReachReport Report((string Host, ProofState Proof)[] tried)
        {
            IPAddress[] gateways = Gateway is null ? [] : [IPAddress.Parse(Gateway)];
            LocalNetwork[] networks = [new LocalNetwork(2, "eth0", [.. Addresses.Select(static a => new LocalAddress(IPAddress.Parse(a), 24))], gateways)];
            var observed = Observed is null ? null : IPAddress.Parse(Observed);
            var candidates = AddressCandidates.Find(new ReachOptions { PublicHosts = PublicHosts }, new Whereabouts(8008, 8080, networks, _mappings, observed));
            return ReachJudgement.Judge(new ReachEvidence(
                [.. candidates.Select(c => (c, c.Address.Port == 8008 && Array.Find(tried, t => t.Host == c.Address.Host).Proof is { } proof ? proof : ProofState.Untried))],
                new PortMappingState(IsOn, gateways.FirstOrDefault(), _mappings, _attempts, IsSettled),
                networks,
                observed,
                8008));
        }
    }
}
