using System.Text;
using System.Text.Json;
using PiPub.Node.Invites;
using PiPub.Node.Peers;
using PiPub.Node.Reachability;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Reachability;

public sealed class DialBackTests : IAsyncDisposable
{
    private readonly TestInternet _internet = new();
    private readonly TestHome _box;
    private readonly TestHome _friend;
    private readonly TestHome _hasty;

    public DialBackTests()
    {
        _box = new TestHome(_internet, "203.0.113.5");
        _friend = new TestHome(_internet, "198.51.100.9", limits: new DialBackLimits { TimeLimit = TimeSpan.FromMinutes(1), PerPeer = 6 });
        _hasty = new TestHome(_internet, "198.51.100.10", limits: new DialBackLimits { TimeLimit = TimeSpan.FromSeconds(3) });
        _internet.Open("198.51.100.9:8008", _friend);
        _internet.Open("198.51.100.10:8008", _hasty);
        _internet.Open("203.0.113.5:8008", _box);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_dials_back_and_tells_what_it_sees()
    {
        var peer = await _box.ConnectAsync(_hasty);
        var (works, fails) = (Candidate("203.0.113.5"), Candidate("203.0.113.5", 9));
        var answer = await DialBackQuestion.AskAsync(_box.Node.Server, peer, [works, fails], Stop);
        Assert.Equal("203.0.113.5", answer.Observed!.ToString());
        Assert.Equal([works], answer.Works);
        Assert.Equal([fails], answer.Fails);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dialling_back_leaves_the_connection_of_the_two_as_it_is(bool boxDialled)
    {
        _ = boxDialled ? await _box.ConnectAsync(_friend) : await _friend.ConnectAsync(_box);
        await Peers.Eventually.TrueAsync(() => _box.Node.Table.ConnectedCount == 1 && _friend.Node.Table.ConnectedCount == 1, "connected");
        var (here, there) = (_box.Node.Table.FindConnected(_friend.Node.Id)!, _friend.Node.Table.FindConnected(_box.Node.Id)!);
        for (var times = 0; times < 3; times++)
        {
            var answer = await DialBackQuestion.AskAsync(_box.Node.Server, here, [Candidate("203.0.113.5")], Stop);
            Assert.Single(answer.Works);
        }

        await Task.Delay(50, Stop);
        Assert.Same(here, _box.Node.Table.FindConnected(_friend.Node.Id));
        Assert.Same(there, _friend.Node.Table.FindConnected(_box.Node.Id));
        Assert.False(here.Session.Closed.IsCancellationRequested);
        Assert.False(there.Session.Closed.IsCancellationRequested);

        // The visitors are nobody's peers.
        Assert.Single(_box.Node.Table.Snapshot());
        Assert.Single(_friend.Node.Table.Snapshot());
    }

    [Fact]
    public async Task It_works_is_not_believed_when_nobody_came()
    {
        await using var liar = new TestHome(_internet, "198.51.100.66", knowsDialBack: false);
        _internet.Open("198.51.100.66:8008", liar);
        var address = _box.At("203.0.113.5").ToString();
        liar.Node.Methods.Async(DialBackMethods.Method, RpcCallers.Peer, (_, _) =>
            new(RpcBody.Json($$"""{"observed":"1.2.3.4; rm","results":[{"address":"{{address}}","ok":true,"code":"ok"},{"address":"net:x","ok":true,"code":"ok"}]}""")));
        var answer = await DialBackQuestion.AskAsync(_box.Node.Server, await _box.ConnectAsync(liar), [Candidate("203.0.113.5")], Stop);
        Assert.Empty(answer.Works);
        Assert.Single(answer.Fails);
        Assert.Null(answer.Observed);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"yes\"")]
    [InlineData("{}")]
    [InlineData("""{"observed":7,"results":[{"address":7}]}""")]
    public async Task An_answer_that_is_none_is_an_error(string json)
    {
        await using var strange = new TestHome(_internet, "198.51.100.66", knowsDialBack: false);
        _internet.Open("198.51.100.66:8008", strange);
        strange.Node.Methods.Async(DialBackMethods.Method, RpcCallers.Peer, (_, _) => new(RpcBody.Json(json)));
        var peer = await _box.ConnectAsync(strange);
        await Assert.ThrowsAsync<RpcException>(() => DialBackQuestion.AskAsync(_box.Node.Server, peer, [Candidate("203.0.113.5")], Stop));
    }

    [Theory]
    [InlineData("net:127.0.0.1:8008")]
    [InlineData("net:10.0.0.1:22")]
    [InlineData("net:192.168.1.1:80")]
    [InlineData("net:169.254.1.1:80")]
    [InlineData("net:100.64.0.1:8008")]
    [InlineData("net:fe80!:!:1:8008")]
    [InlineData("net:::1:8008")]
    [InlineData("net:::ffff:192.168.1.1:80")]
    [InlineData("net:64:ff9b::192.168.1.1:80")]
    [InlineData("net:router.local:80")]
    [InlineData("net:localhost:80")]
    [InlineData("net:224.0.0.1:80")]
    [InlineData("net:1.2.3.4:0")]
    [InlineData("ws://192.168.1.1:80")]
    [InlineData("ws://203.0.113.5:8080/order?cakes=1000")]
    [InlineData("onion:abc.onion:8008")]
    [InlineData("unix:/run/x")]
    [InlineData("net:2001:db8::1:8008")]
    public async Task Only_public_addresses_that_this_box_has_a_way_to_are_dialled(string where)
    {
        var peer = await _box.ConnectAsync(_friend);
        var answer = await AskAsync(peer, $"{where}~shs:{Key(_box.Node.Id)}");
        var result = Assert.Single(answer.GetProperty("results").EnumerateArray());
        Assert.False(result.GetProperty("ok").GetBoolean());
        Assert.Equal("not-dialable", result.GetProperty("code").GetString());
        Assert.Empty(_friend.Dialled);
    }

    [Fact]
    public async Task Nobody_but_the_asker_is_dialled()
    {
        var peer = await _box.ConnectAsync(_friend);
        var other = KeyPair.Generate().Id;
        var refusal = await Assert.ThrowsAsync<RpcException>(() => AskAsync(peer, $"net:203.0.113.5:8008~shs:{Key(other)}"));
        Assert.Contains("your own key", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_friend.Dialled);
    }

    [Fact]
    public async Task Another_peer_at_the_address_is_as_good_as_nobody()
    {
        await using var neighbour = new TestHome(_internet, "203.0.113.5");
        _internet.Open("203.0.113.5:8008", neighbour);
        var answer = await AskAsync(await _box.ConnectAsync(_hasty), _box.At("203.0.113.5").ToString(), _box.At("203.0.113.6").ToString());
        Assert.Equal(["unreachable", "unreachable"], answer.GetProperty("results").EnumerateArray().Select(static r => r.GetProperty("code").GetString()));
        Assert.Single(answer.GetProperty("results").EnumerateArray().Select(static r => r.GetProperty("message").GetString()).Distinct());
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""[{"addresses":[]}]""")]
    [InlineData("""[{"addresses":[],"seed":"AAAA"}]""")]
    [InlineData("""[{"addresses":"net:1.2.3.4:8008","seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]""")]
    [InlineData("""[{"addresses":[7],"seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]""")]
    [InlineData("""[{"addresses":["a","b","c","d","e"],"seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}]""")]
    public async Task A_malformed_question_gets_an_error(string args)
    {
        var peer = await _box.ConnectAsync(_friend);
        await Assert.ThrowsAsync<RpcException>(() => peer.Session.CallAsync(DialBackMethods.Method, Encoding.UTF8.GetBytes(args), Stop));
        Assert.False(peer.Session.Closed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_peer_can_ask_only_so_often()
    {
        var peer = await _box.ConnectAsync(_friend);
        for (var i = 0; i < 6; i++)
        {
            await AskAsync(peer);
        }

        var refusal = await Assert.ThrowsAsync<RpcException>(() => AskAsync(peer));
        Assert.Contains("6 times", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_has_one_question_at_a_time()
    {
        var peer = await _box.ConnectAsync(_hasty);
        var first = AskAsync(peer, _box.At("203.0.113.77").ToString());
        var refusal = await Assert.ThrowsAsync<RpcException>(() => AskAsync(peer));
        Assert.Contains("still being answered", refusal.Message, StringComparison.Ordinal);
        await first;
        await AskAsync(peer);
    }

    [Fact]
    public void All_peers_together_can_ask_only_so_often()
    {
        var time = new ManualTime();
        var budget = new DialBackBudget(new DialBackLimits { InAll = 3, AllRefill = TimeSpan.FromMinutes(1), PerPeer = 2, PeerRefill = TimeSpan.FromMinutes(5) }, time);
        var peers = Enumerable.Range(0, 4).Select(static _ => KeyPair.Generate().Id).ToList();
        for (var i = 0; i < 3; i++)
        {
            Assert.Null(budget.Refuse(peers[i]));
            budget.Answered(peers[i]);
        }

        Assert.NotNull(budget.Refuse(peers[3]));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(budget.Refuse(peers[3]));
        Assert.NotNull(budget.Refuse(peers[3]));
        budget.Answered(peers[3]);

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(budget.Refuse(peers[0]));
        budget.Answered(peers[0]);
        Assert.NotNull(budget.Refuse(peers[0]));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(budget.Refuse(peers[0]));
    }

    [Fact]
    public async Task A_one_time_key_opens_nothing_when_its_time_is_over()
    {
        var key = KeyPair.Generate();
        using (_box.Node.Server.AwaitProbe(key.Id, static _ => { }))
        {
            await _friend.Node.Server.ProbeAsync(_box.At("203.0.113.5"), key, publicOnly: true, Stop);
        }

        Assert.Empty(_box.Node.Table.Snapshot());
        await _friend.Node.Server.ProbeAsync(_box.At("203.0.113.5"), key, publicOnly: true, Stop);

        // A stranger like others, who has hung up.
        await Peers.Eventually.TrueAsync(() => _box.Node.Table.ConnectedCount == 0 && _box.Node.Table.Snapshot().Count == 1, "the stranger came and went");
    }

    private static AddressCandidate Candidate(string host, int port = 8008) => new(new InviteAddress(InviteTransport.Net, host, port), AddressOrigin.Mapping);

    private static string Key(FeedId id) => Convert.ToBase64String(id.AsSpan());

    private static async Task<JsonElement> AskAsync(Peer peer, params string[] addresses)
    {
        var list = string.Join(',', addresses.Select(static address => $"\"{address}\""));
        var args = $$"""[{"addresses":[{{list}}],"seed":"{{Convert.ToBase64String(new byte[32])}}"}]""";
        return (await peer.Session.CallAsync(DialBackMethods.Method, Encoding.UTF8.GetBytes(args), Stop)).ToJson();
    }

    public async ValueTask DisposeAsync()
    {
        await _box.DisposeAsync();
        await _friend.DisposeAsync();
        await _hasty.DisposeAsync();
    }
}
