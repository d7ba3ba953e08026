using System.Net;
using PiPub.Node.Invites;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Reachability;

/// <summary>A box behind a router, and peers elsewhere in the internet.</summary>
public sealed class ReachWatchTests : IAsyncDisposable
{
    private readonly TestInternet _internet = new();
    private readonly List<TestHome> _homes = [];
    private readonly TestHome _box;

    public ReachWatchTests()
    {
        _box = Home("203.0.113.5");
        _internet.Open("203.0.113.5:8008", _box);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mapping_is_proven_by_a_peer_outside_and_comes_first()
    {
        _box.MapSsb("203.0.113.5");
        _box.Start();
        Assert.Equal("unproven", _box.Reach.Report().Reason);
        Assert.DoesNotContain(_box.Reach.Offered(), static a => a.Host == "203.0.113.5");

        var friend = Home("198.51.100.9");
        await _box.ConnectAsync(friend);
        await ReasonAsync("proven");
        Assert.Equal(new InviteAddress(InviteTransport.Net, "203.0.113.5", 8008), _box.Reach.Offered()[0]);
        Assert.Equal(friend.Node.Id, Proof("203.0.113.5").ProvenBy);
        Assert.Equal("yes. This box can be reached from outside: a peer has connected to 203.0.113.5:8008.", _box.Reach.Report().Line);
    }

    [Fact]
    public async Task A_mapping_that_comes_later_is_tried_then()
    {
        _box.Start();
        await _box.ConnectAsync(Home("198.51.100.9"));
        await Peers.Eventually.TrueAsync(() => _box.Reach.Report().Addresses.Any(static a => a.Candidate.Origin == AddressOrigin.Observed), "the friend told what it sees");
        _internet.Open("203.0.113.5:40008", _box);
        _box.Map(new PortMapping(MappingProtocol.Pcp, 8008, IPAddress.Parse("203.0.113.5"), 40008, null));
        await Peers.Eventually.TrueAsync(() => _box.Reach.Offered()[0].Port == 40008, "the mapping is proven");
    }

    [Fact]
    public async Task Port_forwarding_set_up_by_hand_is_found_by_what_a_peer_sees()
    {
        _box.Start();
        await _box.ConnectAsync(Home("198.51.100.9"));
        await ReasonAsync("proven");
        Assert.Equal("203.0.113.5", _box.Reach.Offered()[0].Host);
        Assert.Equal(AddressOrigin.Observed, _box.Reach.Report().Addresses.First(static a => a.Proof.IsProven).Candidate.Origin);
    }

    [Fact]
    public async Task A_firewall_is_found()
    {
        _internet.Close("203.0.113.5:8008");
        _box.MapSsb("203.0.113.5");
        _box.Start();
        await _box.ConnectAsync(Home("198.51.100.9"));
        await ReasonAsync("firewall");
        Assert.DoesNotContain(_box.Reach.Offered(), static a => a.Host == "203.0.113.5");
    }

    [Fact]
    public async Task An_address_that_stops_working_is_taken_out()
    {
        _box.MapSsb("203.0.113.5");
        _box.Start();
        await _box.ConnectAsync(Home("198.51.100.9"));
        await ReasonAsync("proven");

        _internet.Close("203.0.113.5:8008");
        _box.Networks = [_box.Networks[0] with { Name = "eth1" }];
        _box.Watch.Look();
        await ReasonAsync("firewall");
        Assert.DoesNotContain(_box.Reach.Offered(), static a => a.Host == "203.0.113.5");
    }

    [Fact]
    public async Task A_proof_is_renewed_every_few_hours_and_not_in_between()
    {
        var time = new ManualTime();
        var box = Home("203.0.113.50", time: time);
        _internet.Open("203.0.113.50:8008", box);
        box.MapSsb("203.0.113.50");
        box.Start();
        var friend = Home("198.51.100.9");
        await box.ConnectAsync(friend);
        await Peers.Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(10));
                return box.Reach.Report().Reason == "proven";
            },
            "proven");
        Assert.Single(friend.Dialled);
        time.Advance(TimeSpan.FromHours(5));
        await Task.Delay(100, Stop);
        Assert.Single(friend.Dialled);
        await Peers.Eventually.TrueAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMinutes(5));
                return friend.Dialled.Count >= 2;
            },
            "asked again");
        Assert.InRange(time.GetUtcNow() - box.Reach.Report().Addresses[0].Proof.ProvenAt!.Value, TimeSpan.FromHours(-8), TimeSpan.FromHours(20));
    }

    [Fact]
    public async Task Whoever_comes_in_from_outside_is_a_proof()
    {
        var stranger = Home("198.51.100.77", knowsDialBack: false);
        _box.MapSsb("203.0.113.5");
        _box.Start();
        await stranger.ConnectAsync(_box);
        await ReasonAsync("proven");
        Assert.Null(Proof("203.0.113.5").ProvenBy);
    }

    [Fact]
    public async Task Whoever_comes_from_the_home_network_or_from_the_routers_own_address_is_none()
    {
        _box.MapSsb("203.0.113.5");
        _box.Start();
        _internet.Open("192.168.1.20:8008", _box);
        var neighbour = Home("192.168.1.33");
        await neighbour.ConnectAsync(_box.At("192.168.1.20"));
        await Peers.Eventually.TrueAsync(() => Proof("192.168.1.20").IsProven, "the neighbour proves the address at home");

        // The router sends those of the home who dial its outer address back, in its own name.
        var roundabout = Home("203.0.113.5");
        await roundabout.ConnectAsync(_box.At("203.0.113.5"));
        await Task.Delay(100, Stop);
        Assert.Equal("unproven", _box.Reach.Report().Reason);
        Assert.Empty(neighbour.Dialled.Concat(roundabout.Dialled).Where(address => address.Host == "203.0.113.5").Skip(1));
    }

    [Fact]
    public async Task Coming_in_by_IPv6_proves_the_IPv6_address()
    {
        _box.Networks = [_box.Networks[0] with { Addresses = [.. _box.Networks[0].Addresses, new LocalAddress(IPAddress.Parse("2001:db8:1::20"), 64)] }];
        _box.Watch.Look();
        _internet.Open("2001:db8:1::20:8008", _box, inside: "2001:db8:1::20");
        _box.Start();
        await Home("2001:db8:2::9", knowsDialBack: false).ConnectAsync(_box.At("2001:db8:1::20"));
        await ReasonAsync("ipv6-only");
        await Home("2001:db8:1::99", knowsDialBack: false).ConnectAsync(_box.At("2001:db8:1::20"));
        Assert.Equal(1, Proof("2001:db8:1::20").Provers);
    }

    [Fact]
    public async Task A_peer_that_does_not_know_the_method_is_asked_once()
    {
        var calls = 0;
        var script = Home("198.51.100.9", knowsDialBack: false);
        script.Node.Methods.Async(DialBackMethods.Method, RpcCallers.Peer, (_, _) =>
        {
            Interlocked.Increment(ref calls);
            throw RpcException.MissingMethod(DialBackMethods.Method);
        });
        _box.MapSsb("203.0.113.5");
        _box.Start();
        await _box.ConnectAsync(script);
        await Peers.Eventually.TrueAsync(() => calls == 1, "asked");
        for (var i = 0; i < 5; i++)
        {
            _box.MapSsb($"203.0.113.{60 + i}");
            await Task.Delay(20, Stop);
        }

        Assert.Equal(1, calls);

        // One that does know it is then asked at once.
        _box.MapSsb("203.0.113.5");
        await _box.ConnectAsync(Home("198.51.100.10"));
        await ReasonAsync("proven");
    }

    [Fact]
    public async Task Friends_are_asked_before_strangers()
    {
        var (stranger, friend) = (Home("198.51.100.66"), Home("198.51.100.9"));
        _box.Node.Policy.Hops[friend.Node.Id] = 1;
        await _box.ConnectAsync(stranger);
        await _box.ConnectAsync(friend);
        _box.MapSsb("203.0.113.5");
        _box.Start();
        await ReasonAsync("proven");
        Assert.Equal(friend.Node.Id, Proof("203.0.113.5").ProvenBy);
        Assert.Empty(stranger.Dialled);
    }

    [Fact]
    public async Task The_providers_NAT_is_found_by_what_peers_see()
    {
        _internet.Close("203.0.113.5:8008");
        _box.MapSsb("198.51.100.200");
        _box.Start();
        await _box.ConnectAsync(Home("192.0.2.9"));
        await ReasonAsync("carrier-nat");
        Assert.Contains("203.0.113.5", _box.Reach.Report().Summary.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_WebSocket_address_is_proven_by_itself()
    {
        _internet.Open("203.0.113.5:18080", _box);
        _box.Map(
            new PortMapping(MappingProtocol.Upnp, 8008, IPAddress.Parse("203.0.113.5"), 8008, null),
            new PortMapping(MappingProtocol.Upnp, 8080, IPAddress.Parse("203.0.113.5"), 18080, null));
        _box.Start();
        await _box.ConnectAsync(Home("198.51.100.9"));
        await Peers.Eventually.TrueAsync(() => _box.Reach.Offered().Contains(new InviteAddress(InviteTransport.Ws, "203.0.113.5", 18080)), "proven");
    }

    private TestHome Home(string outside, bool knowsDialBack = true, TimeProvider? time = null)
    {
        var home = new TestHome(_internet, outside, options: null, knowsDialBack: knowsDialBack, time: time, inside: outside.Contains(':') ? outside : "192.168.1.20");
        _internet.Open($"{outside}:8008", home);
        if (outside == "203.0.113.5" && _box is not null)
        {
            _internet.Open("203.0.113.5:8008", _box);
        }

        _homes.Add(home);
        return home;
    }

    private ProofState Proof(string host) => _box.Reach.Report().Addresses.First(a => a.Candidate.Address.Host == host).Proof;

    private Task ReasonAsync(string reason) => Peers.Eventually.TrueAsync(() => _box.Reach.Report().Reason == reason, reason);

    public async ValueTask DisposeAsync()
    {
        foreach (var home in _homes)
        {
            await home.DisposeAsync();
        }
    }
}
