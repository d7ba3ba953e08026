using System.Text;
using System.Text.Json;
using PiPub.Node.HttpAuth;
using PiPub.Node.Peers;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.HttpAuth;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.HttpAuth;

public sealed class HttpAuthenticationTests
{
    private static readonly KeyPair Box = KeyPair.Generate();
    private static readonly KeyPair Owner = KeyPair.Generate();
    private static readonly KeyPair Friend = KeyPair.Generate();

    private readonly ManualTime _time = new();
    private readonly RpcMethods _methods = new();
    private readonly PeerTable _peers;
    private readonly HttpAuthentication _auth;
    private bool _isOn = true;

    public HttpAuthenticationTests()
    {
        _peers = new PeerTable(_time);
        _auth = new HttpAuthentication(Box.Id, static () => Owner.Id, _peers, new HttpAuthChallenges(_time), _time) { IsOn = () => _isOn };
        _auth.Register(_methods);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_owners_app_solves_what_a_page_began_and_the_page_takes_it_once()
    {
        var challenge = _auth.Challenges.Begin("here");
        Assert.Null(_auth.Challenges.Take(challenge.Ticket));
        Assert.Equal("true", await SolveAsync(Owner, challenge.Nonce));
        Assert.Equal(Owner.Id, await challenge.Solved);
        Assert.Null(_auth.Challenges.Take(challenge.Nonce));
        Assert.Equal(Owner.Id, _auth.Challenges.Take(challenge.Ticket));
        Assert.Null(_auth.Challenges.Take(challenge.Ticket));
        await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Owner, challenge.Nonce));
    }

    [Fact]
    public async Task Nobody_else_solves_it_and_nothing_but_its_solution_does()
    {
        var challenge = _auth.Challenges.Begin("here");
        await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Friend, challenge.Nonce));
        await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Owner, HttpAuthSolution.NewNonce()));
        Assert.False(challenge.Solved.IsCompleted);

        // There is no second try.
        var cc = HttpAuthSolution.NewNonce();
        await Assert.ThrowsAsync<RpcException>(() => SendAsync(Owner, challenge.Nonce, cc, HttpAuthSolution.Solve(Friend, Box.Id, challenge.Nonce, cc)));
        Assert.Null(await challenge.Solved);
        await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Owner, challenge.Nonce));
        Assert.Null(_auth.Challenges.Take(challenge.Ticket));
        foreach (var args in (string[])["[]", "[1,2,3]", "[null,{},[]]", "[\"a\"]"])
        {
            await Assert.ThrowsAsync<RpcException>(() => CallAsync("httpAuth.sendSolution", Owner, args));
        }
    }

    [Fact]
    public async Task After_three_minutes_it_is_over()
    {
        var challenge = _auth.Challenges.Begin("here");
        _time.Advance(HttpAuthChallenges.Lifetime);
        await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Owner, challenge.Nonce));
        Assert.Null(_auth.Challenges.Find(challenge.Ticket));
        Assert.Null(await challenge.Solved);

        var solved = _auth.Challenges.Begin("here");
        await SolveAsync(Owner, solved.Nonce);
        _time.Advance(HttpAuthChallenges.Lifetime);
        Assert.Null(_auth.Challenges.Take(solved.Ticket));
    }

    [Fact]
    public void One_place_keeps_four_and_all_together_sixty_four()
    {
        var elsewhere = _auth.Challenges.Begin("elsewhere");
        var own = Enumerable.Range(0, 5).Select(_ => _auth.Challenges.Begin("here")).ToList();
        Assert.Equal([false, true, true, true, true], own.Select(one => _auth.Challenges.Find(one.Ticket) is not null));
        Assert.NotNull(_auth.Challenges.Find(elsewhere.Ticket));
        for (var i = 0; i < 60; i++)
        {
            _auth.Challenges.Begin($"{i}");
        }

        Assert.Null(_auth.Challenges.Find(elsewhere.Ticket));
        Assert.NotNull(_auth.Challenges.Find(own[4].Ticket));
    }

    [Fact]
    public async Task Withdrawing_ends_what_no_browser_has_fetched_and_tells_the_pages()
    {
        var told = new List<FeedId>();
        _auth.Invalidated += told.Add;
        var challenge = _auth.Challenges.Begin("here");
        await SolveAsync(Owner, challenge.Nonce);
        Assert.Equal("true", await CallAsync("httpAuth.invalidateAllSolutions", Owner, "[]"));
        Assert.Null(_auth.Challenges.Take(challenge.Ticket));
        Assert.Equal([Owner.Id], told);
    }

    [Fact]
    public async Task Switched_off_there_is_no_such_method()
    {
        _isOn = false;
        Assert.False(_auth.IsPossible);
        Assert.True((await Assert.ThrowsAsync<RpcException>(() => SolveAsync(Owner, HttpAuthSolution.NewNonce()))).IsMissingMethod);
        Assert.True((await Assert.ThrowsAsync<RpcException>(() => CallAsync("httpAuth.invalidateAllSolutions", Owner, "[]"))).IsMissingMethod);
        Connect(Owner, Owner);
        Assert.False(await _auth.AskAsync(Owner.Id.ToString(), HttpAuthSolution.NewNonce(), Stop));
    }

    [Fact]
    public async Task The_box_asks_the_owners_app_that_is_connected_and_no_other()
    {
        var cc = HttpAuthSolution.NewNonce();
        Assert.False(await _auth.AskAsync(Owner.Id.ToString(), cc, Stop));
        var app = Connect(Owner, Owner);
        Assert.True(await _auth.AskAsync(Owner.Id.ToString(), cc, Stop));
        Assert.Equal(1, app.Asked);
        var friend = Connect(Friend, Friend);
        Assert.False(await _auth.AskAsync(Friend.Id.ToString(), cc, Stop));
        foreach (var (id, nonce) in ((string?, string?)[])[(null, cc), ("", cc), ("@owner", cc), (Owner.Id.ToString(), null), (Owner.Id.ToString(), "short"), (Owner.Id.ToString(), cc + ":")])
        {
            Assert.False(await _auth.AskAsync(id, nonce, Stop));
        }

        Assert.Equal((1, 0), (app.Asked, friend.Asked));
    }

    [Fact]
    public async Task An_app_that_refuses_or_answers_with_anything_else_signs_nobody_in()
    {
        var cc = HttpAuthSolution.NewNonce();
        Connect(Owner, Friend);
        Assert.False(await _auth.AskAsync(Owner.Id.ToString(), cc, Stop));
        foreach (var answer in (RpcBody[])[RpcBody.Json("null"), RpcBody.Json("{"), RpcBody.Json("[]"), RpcBody.Binary(new byte[100]), RpcBody.Json("\"" + new string('A', 5000) + "\"")])
        {
            Connect(Owner, Owner).Answer = answer;
            Assert.False(await _auth.AskAsync(Owner.Id.ToString(), cc, Stop));
        }

        Connect(Owner, Owner).Error = new RpcException("The client nonce \"cc\" is unknown or has expired");
        Assert.False(await _auth.AskAsync(Owner.Id.ToString(), cc, Stop));
    }

    [Fact]
    public async Task Nobody_keeps_the_owners_phone_busy()
    {
        var app = Connect(Owner, Friend);
        for (var i = 0; i < 20; i++)
        {
            Assert.False(await _auth.AskAsync(Owner.Id.ToString(), HttpAuthSolution.NewNonce(), Stop));
        }

        Assert.Equal(10, app.Asked);
        _time.Advance(TimeSpan.FromMinutes(1));
        Connect(Owner, Owner);
        Assert.True(await _auth.AskAsync(Owner.Id.ToString(), HttpAuthSolution.NewNonce(), Stop));
    }

    private Task<string> SolveAsync(KeyPair app, string nonce)
    {
        var cc = HttpAuthSolution.NewNonce();
        return SendAsync(app, nonce, cc, HttpAuthSolution.Solve(app, Box.Id, nonce, cc));
    }

    private Task<string> SendAsync(KeyPair app, string nonce, string cc, string solution) =>
        CallAsync("httpAuth.sendSolution", app, $"[\"{nonce}\",\"{cc}\",\"{solution}\"]");

    private async Task<string> CallAsync(string method, KeyPair caller, string args)
    {
        var found = _methods.Find(method, RpcCallers.Peer, isOwner: false)!;
        var body = await found.Answer!(new RpcRequest(method, JsonElement.Parse(args), new App(caller, caller), RpcCallers.Peer, IsOwner: false), Stop);
        return Encoding.UTF8.GetString(body.Bytes.Span);
    }

    private App Connect(KeyPair id, KeyPair signsWith)
    {
        var app = new App(id, signsWith);
        _peers.ConnectedTo(new Peer(app, IsOutgoing: false, "net:192.168.1.5:1", _time.GetUtcNow()));
        return app;
    }

    /// <summary>An app at the other end of a connection.</summary>
    private sealed class App(KeyPair id, KeyPair signsWith) : IRpcSession
    {
        public int Asked { get; private set; }

        public RpcBody? Answer { get; set; }

        public RpcException? Error { get; set; }

        public FeedId Remote => id.Id;

        public CancellationToken Closed => CancellationToken.None;

        public Task<RpcBody> CallAsync(string method, ReadOnlyMemory<byte> args, CancellationToken cancellationToken)
        {
            Assert.Equal("httpAuth.requestSolution", method);
            Asked++;
            if (Error is not null)
            {
                throw Error;
            }

            var nonces = JsonElement.Parse(args.Span);
            return Task.FromResult(Answer ?? RpcBody.Json($"\"{HttpAuthSolution.Solve(signsWith, Box.Id, nonces[0].GetString()!, nonces[1].GetString()!)}\""));
        }

        public RpcStream Open(string method, CallType type, ReadOnlyMemory<byte> args) => throw new NotSupportedException();

        public Task CloseAsync() => Task.CompletedTask;
    }
}
