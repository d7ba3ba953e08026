using System.Text;
using System.Text.Json;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Invites;

public sealed class InvitationsTests : IDisposable
{
    private readonly KeyPair _box = KeyPair.Generate();
    private readonly TestState _state = new();
    private readonly MessageStore _store = new(new MemoryMessageLog());
    private readonly TestPublisher _publisher;
    private readonly Contacts _contacts = new();
    private readonly Clock _clock = new();
    private List<InviteAddress> _addresses = [new(InviteTransport.Net, "pub.example", 8008)];
    private Invitations _invitations;

    public InvitationsTests()
    {
        _publisher = new TestPublisher(_box.Id, _store);
        _invitations = Open();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_uses_an_invite_is_followed_and_the_first_owns_the_box()
    {
        var invite = _invitations.Create(new InviteRequest(2, "for the family"), _box.Id);
        var (alice, bob) = (NewFeed(), NewFeed());
        var record = await _invitations.UseAsync(invite.Invite.Key, alice, Cancellation);
        Assert.Equal($$"""{"type":"contact","contact":"{{alice}}","following":true,"pub":true,"note":"for the family"}""", _publisher.Published.Single());
        Assert.Equal(_box.Id, record.Message.Author);
        await _invitations.UseAsync(invite.Invite.Key, bob, Cancellation);
        Assert.Equal(alice, new OwnerTable(_state.Database).Owner);
        var (listed, uses) = _invitations.List().Single();
        Assert.Equal(2, listed.Used);
        Assert.Equal([alice, bob], uses.Select(u => u.Feed).OrderBy(f => f == bob));
    }

    [Fact]
    public async Task A_lost_answer_is_given_again_even_when_the_invite_is_over()
    {
        var invite = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        var alice = NewFeed();
        var first = await _invitations.UseAsync(invite, alice, Cancellation);
        var again = await _invitations.UseAsync(invite, alice, Cancellation);
        Assert.Equal(first.Message.Id, again.Message.Id);
        _invitations.Revoke(invite);
        Assert.Equal(first.Message.Id, (await _invitations.UseAsync(invite, alice, Cancellation)).Message.Id);
        Assert.Single(_publisher.Published);
    }

    [Fact]
    public async Task A_spent_expired_revoked_or_unknown_invite_says_so()
    {
        var spent = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        await _invitations.UseAsync(spent, NewFeed(), Cancellation);
        await AssertRefused(spent, "invite has expired: it was for one person");
        var expired = _invitations.Create(new InviteRequest(Expires: _clock.Now.AddHours(1)), _box.Id).Invite.Key;
        _clock.Now += TimeSpan.FromHours(1);
        await AssertRefused(expired, "invite has expired: it was good until");
        var revoked = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        Assert.True(_invitations.Revoke(revoked));
        Assert.False(_invitations.Revoke(revoked));
        await AssertRefused(revoked, "taken back");
        await AssertRefused(NewFeed(), "does not know that invite");
        foreach (var key in new[] { spent, expired, revoked })
        {
            Assert.True(_invitations.IsInvite(key));
        }

        Assert.False(_invitations.IsInvite(NewFeed()));
        Assert.Single(_publisher.Published);
    }

    [Fact]
    public async Task One_use_and_fifty_at_once_let_one_in()
    {
        var invite = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () =>
        {
            try
            {
                await _invitations.UseAsync(invite, NewFeed(), Cancellation);
                return "in";
            }
            catch (InviteException refused)
            {
                return refused.Message;
            }
        })));
        Assert.Single(outcomes, "in");
        Assert.All(outcomes.Where(o => o != "in"), o => Assert.StartsWith("invite has expired", o, StringComparison.Ordinal));
        Assert.Single(_publisher.Published);
    }

    [Fact]
    public async Task The_count_holds_between_two_processes_of_one_state()
    {
        var table = new InvitesTable(_state.Database);
        var invite = _invitations.Create(new InviteRequest(10), _box.Id).Invite.Key;
        var taken = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => Task.Run(() => table.TryTake(invite, NewFeed(), _clock.Now).Take)));
        Assert.Equal(10, taken.Count(t => t == InviteTake.Taken));
        Assert.Equal(30, taken.Count(t => t == InviteTake.Spent));
    }

    [Fact]
    public async Task When_publishing_fails_the_use_is_given_back()
    {
        var invite = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        var alice = NewFeed();
        _publisher.Failure = new IOException("No space left on device");
        await Assert.ThrowsAsync<IOException>(() => _invitations.UseAsync(invite, alice, Cancellation));
        Assert.Equal(0, _invitations.List().Single().Invite.Used);
        Assert.Null(new OwnerTable(_state.Database).Owner);
        _publisher.Failure = null;
        await _invitations.UseAsync(invite, NewFeed(), Cancellation);
    }

    [Fact]
    public async Task A_use_cut_off_before_the_message_is_made_good_when_the_feed_asks_again()
    {
        var invite = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        var alice = NewFeed();
        Assert.Equal(InviteTake.Taken, new InvitesTable(_state.Database).TryTake(invite, alice, _clock.Now).Take);
        Restart();
        await _invitations.UseAsync(invite, alice, Cancellation);
        Assert.Single(_publisher.Published);
        Assert.Equal(1, _invitations.List().Single().Invite.Used);
    }

    [Fact]
    public async Task Everything_is_remembered_over_a_restart()
    {
        var invite = _invitations.Create(new InviteRequest(2), _box.Id).Invite.Key;
        var alice = NewFeed();
        await _invitations.UseAsync(invite, alice, Cancellation);
        Restart();
        await _invitations.UseAsync(invite, alice, Cancellation);
        await _invitations.UseAsync(invite, NewFeed(), Cancellation);
        await AssertRefused(invite, "2 people and all of them have come");
        Assert.Equal(alice, new OwnerTable(_state.Database).Owner);
        Assert.False(new OwnerTable(_state.Database).TrySetFirst(_box.Id, _clock.Now));
    }

    [Fact]
    public async Task A_feed_that_is_followed_already_leaves_a_second_invite_unspent()
    {
        var (one, two) = (_invitations.Create(new InviteRequest(), _box.Id).Invite.Key, _invitations.Create(new InviteRequest(), _box.Id).Invite.Key);
        var alice = NewFeed();
        var first = await _invitations.UseAsync(one, alice, Cancellation);
        _contacts.Following.Add(alice);
        Assert.Equal(first.Message.Id, (await _invitations.UseAsync(two, alice, Cancellation)).Message.Id);
        await AssertRefused(NewFeed(), "does not know", feed: alice);
        await _invitations.UseAsync(two, NewFeed(), Cancellation);
    }

    [Fact]
    public async Task A_blocked_feed_and_the_box_itself_are_not_let_in()
    {
        var invite = _invitations.Create(new InviteRequest(), _box.Id).Invite.Key;
        var mallory = NewFeed();
        _contacts.Blocking.Add(mallory);
        await AssertRefused(invite, "blocked", feed: mallory);
        await AssertRefused(invite, "the pub itself", feed: _box.Id);
        Assert.Equal(0, _invitations.List().Single().Invite.Used);
    }

    [Fact]
    public void The_codes_lead_here_the_best_first_and_their_seed_is_kept_nowhere()
    {
        _addresses =
        [
            new(InviteTransport.Net, "127.0.0.1", 8008),
            new(InviteTransport.Net, "192.168.1.2", 8008),
            new(InviteTransport.Ws, "pub.example", 8080),
            new(InviteTransport.Net, "pipub", 8008),
            new(InviteTransport.Net, "pub.example", 8008),
            new(InviteTransport.Net, "pub.example", 8008),
        ];
        var invite = _invitations.Create(new InviteRequest(), _box.Id);
        Assert.Equal(["net:pub.example:8008", "ws://pub.example:8080", "net:192.168.1.2:8008"], invite.Codes.Select(c => c.Address[..c.Address.IndexOf('~')]));
        Assert.All(invite.Codes, code => Assert.Equal(invite.Invite.Key, code.ToKeyPair().Id));
        Assert.All(invite.Codes, code => Assert.Equal(_box.Id, code.Pub));

        _state.Reopen();
        var seed = invite.Codes[0].Seed.ToArray();
        foreach (var file in Directory.GetFiles(_state.Directory))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(seed));
        }
    }

    [Fact]
    public void An_invite_that_could_not_be_used_is_not_made()
    {
        AssertNotMade(new InviteRequest(0), "1 to 100000 people");
        AssertNotMade(new InviteRequest(-1), "1 to 100000 people");
        AssertNotMade(new InviteRequest(Note: new string('x', 501)), "at most 500 characters");
        AssertNotMade(new InviteRequest(Expires: _clock.Now), "expired already");
        AssertNotMade(new InviteRequest(Hosts: ["pipub"]), "a name with a dot");
        AssertNotMade(new InviteRequest(WebSocketOnly: true), "not a ws address");
        _addresses = [new(InviteTransport.Net, "pipub", 8008)];
        AssertNotMade(new InviteRequest(), "public-host");
        Assert.Empty(_invitations.List());
    }

    [Fact]
    public async Task The_calls_speak_as_ssb_invite_does()
    {
        _addresses = [new(InviteTransport.Net, "127.0.0.1", 18008), new(InviteTransport.Ws, "127.0.0.1", 18080)];
        var methods = new RpcMethods();
        new InviteMethods(_invitations, new InviteAddresses(() => _addresses), _box.Id).Register(methods);
        var owner = new Caller(_box.Id, RpcCallers.Owner, true);
        var code = InviteCode.Parse((await CallAsync(methods, owner, "invite.create", "[1]")).GetString()!);
        Assert.Equal(("127.0.0.1", 18008), (code.Host, code.Port));
        Assert.StartsWith("ws://127.0.0.1:18080~shs:", (await CallAsync(methods, owner, "invite.create", """[{"modern":true}]""")).GetString(), StringComparison.Ordinal);
        var all = await CallAsync(methods, owner, "invite.create", """[{"uses":3,"note":"n","external":"other.example","all":true}]""");
        Assert.Equal("other.example", InviteCode.Parse(all.GetProperty("invite").GetString()!).Host);
        Assert.Equal(3, all.GetProperty("total").GetInt32());
        Assert.StartsWith("other.example:18008:@", (await CallAsync(methods, owner, "invite.create", """[{"external":"other.example"}]""")).GetString(), StringComparison.Ordinal);

        var guest = new Caller(code.ToKeyPair().Id, RpcCallers.Invite, false);
        Assert.Null(methods.Find("invite.create", guest.Kind, false));
        Assert.Equal("feed to follow is missing", await ErrorAsync(methods, guest, "invite.use", "[{}]"));
        Assert.Equal("feed to follow is missing", await ErrorAsync(methods, guest, "invite.use", "[]"));
        Assert.Equal("feed to follow is missing", await ErrorAsync(methods, guest, "invite.use", """[{"feed":"@x.ed25519"}]"""));
        Assert.Equal($"net:127.0.0.1:18008~shs:{Convert.ToBase64String(_box.Id.AsSpan())};ws://127.0.0.1:18080~shs:{Convert.ToBase64String(_box.Id.AsSpan())}", (await CallAsync(methods, guest, "getAddress", "[]")).GetString());
        Assert.Equal(JsonValueKind.Null, (await CallAsync(methods, guest, "getAddress", "[\"public\"]")).ValueKind);

        var alice = NewFeed();
        var answer = await CallAsync(methods, guest, "invite.use", $$"""[{"feed":"{{alice}}"}]""");
        Assert.Equal(["key", "value", "timestamp"], answer.EnumerateObject().Select(p => p.Name));
        Assert.Equal(alice.ToString(), answer.GetProperty("value").GetProperty("content").GetProperty("contact").GetString());
        Assert.StartsWith("invite has expired", await ErrorAsync(methods, guest, "invite.use", $$"""[{"feed":"{{NewFeed()}}"}]"""), StringComparison.Ordinal);
        var stranger = new Caller(NewFeed(), RpcCallers.Peer, false);
        Assert.Contains("does not know that invite", await ErrorAsync(methods, stranger, "invite.use", $$"""[{"feed":"{{alice}}"}]"""), StringComparison.Ordinal);

        var list = await CallAsync(methods, owner, "invite.list", "[]");
        Assert.Equal(4, list.GetArrayLength());
        var used = list.EnumerateArray().Single(i => i.GetProperty("used").GetInt32() == 1);
        Assert.Equal(alice.ToString(), used.GetProperty("usedBy")[0].GetProperty("feed").GetString());
        Assert.True((await CallAsync(methods, owner, "invite.revoke", $"[\"{code.ToLegacyText()}\"]")).GetBoolean());
        Assert.Contains("before", await ErrorAsync(methods, owner, "invite.revoke", $"[\"{used.GetProperty("id").GetString()}\"]"), StringComparison.Ordinal);
        Assert.Contains("no such invite", await ErrorAsync(methods, owner, "invite.revoke", $"[\"{alice}\"]"), StringComparison.Ordinal);
        foreach (var bad in new[] { """["x"]""", """[{"uses":1.5}]""", """[{"uses":"3"}]""", """[{"expires":"soon"}]""", """[{"expires":1e300}]""", "[0]" })
        {
            Assert.NotEmpty(await ErrorAsync(methods, owner, "invite.create", bad));
        }
    }

    public void Dispose()
    {
        _invitations.Dispose();
        _state.Dispose();
    }

    private static FeedId NewFeed() => KeyPair.Generate().Id;

    private static async Task<JsonElement> CallAsync(RpcMethods methods, Caller caller, string name, string args)
    {
        var method = methods.Find(name, caller.Kind, caller.IsOwner) ?? throw RpcException.MissingMethod(name);
        var request = new RpcRequest(name, JsonElement.Parse(Encoding.UTF8.GetBytes(args)), new StubSession(caller.Id), caller.Kind, caller.IsOwner);
        return (await method.Answer!(request, Cancellation)).ToJson();
    }

    private static async Task<string> ErrorAsync(RpcMethods methods, Caller caller, string name, string args) =>
        (await Assert.ThrowsAsync<RpcException>(() => CallAsync(methods, caller, name, args))).Message;

    private async Task AssertRefused(FeedId key, string why, FeedId? feed = null)
    {
        var refused = await Assert.ThrowsAsync<InviteException>(() => _invitations.UseAsync(key, feed ?? NewFeed(), Cancellation));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    private void AssertNotMade(InviteRequest request, string why) =>
        Assert.Contains(why, Assert.Throws<InviteException>(() => _invitations.Create(request, _box.Id)).Message, StringComparison.Ordinal);

    private void Restart()
    {
        _invitations.Dispose();
        _state.Reopen();
        _invitations = Open();
    }

    private Invitations Open() => new(
        _box.Id,
        new InvitesTable(_state.Database),
        new OwnerTable(_state.Database),
        new InviteAddresses(() => _addresses),
        _publisher,
        _store,
        _contacts,
        _clock);

    private sealed record Caller(FeedId Id, RpcCallers Kind, bool IsOwner);

    private sealed class Contacts : IBoxContacts
    {
        public HashSet<FeedId> Following { get; } = [];

        public HashSet<FeedId> Blocking { get; } = [];

        public bool IsFollowing(FeedId feed) => Following.Contains(feed);

        public bool IsBlocking(FeedId feed) => Blocking.Contains(feed);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class StubSession(FeedId remote) : IRpcSession
    {
        public FeedId Remote => remote;

        public CancellationToken Closed => CancellationToken.None;

        public Task<RpcBody> CallAsync(string method, ReadOnlyMemory<byte> args, CancellationToken cancellationToken) => throw new NotSupportedException();

        public RpcStream Open(string method, CallType type, ReadOnlyMemory<byte> args) => throw new NotSupportedException();

        public Task CloseAsync() => Task.CompletedTask;
    }
}
