using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Peers;

public class ConnectionSchedulerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, true, true, 0, 1.0, 0.9, 4)]
    [InlineData(0, false, false, 0, 1.0, 0.9, 2)]
    [InlineData(0, true, true, 2, 1.0, 0.9, 6)]
    [InlineData(1, true, true, 0, 1.0, 0.9, 14)]
    [InlineData(1, true, false, 0, 1.0, 0.9, 42)]
    [InlineData(3, true, true, 0, 1.0, 0.9, 274)]
    [InlineData(3, true, true, 0, 1.0, 0.1, 137)]
    [InlineData(3, true, true, 0, 0.5, 0.9, 137)]
    [InlineData(3, true, true, 0, 0.0, 0.9, 27.4)]
    [InlineData(64, true, true, 0, 1.0, 0.9, 2_621_444)]
    [InlineData(1000, true, true, 0, 1.0, 0.9, 2_621_444)]
    public void Pauses_are_those_of_ssb_conn(int failures, bool tried, bool worked, int hops, double fullness, double chance, double seconds)
    {
        var pause = ConnectionBackoff.Pause(new(failures, tried, worked, IsLocal: false, IsOwners: false), hops, fullness, chance);
        Assert.Equal(seconds, pause.TotalSeconds, 3);
        Assert.Equal(seconds * 0.7, ConnectionBackoff.Pause(new(failures, tried, worked, IsLocal: true, IsOwners: false), hops, fullness, chance).TotalSeconds, 3);
        Assert.InRange(ConnectionBackoff.Pause(new(failures, tried, worked, IsLocal: false, IsOwners: true), hops, fullness, chance), TimeSpan.Zero, TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task A_configured_peer_is_dialled_and_dialled_again_when_it_has_gone()
    {
        var time = new ManualTime();
        await using var server = await new TestNode(time: time).ListenAsync();
        await using var client = new TestNode(time: time);
        Assert.True(client.Book.Remember(server.Address, AddressSource.Owner, isKept: false));
        client.Scheduler.Start();
        await Eventually.TrueAsync(() => client.Table.FindConnected(server.Id) is not null, "connected");
        await Eventually.TrueAsync(() => Assert.Single(client.Book.All).ConnectedAt is not null, "the success is noted");

        // The configuration will say it again, or no longer.
        client.Book.Save();
        using var state = client.ReopenState();
        Assert.Empty(new KnownAddressesTable(state).List());

        await server.Server.DisconnectAsync(client.Id);
        await Eventually.TrueAsync(() => client.Table.FindConnected(server.Id) is null, "gone");
        await Eventually.TrueAsync(
            () =>
            {
                // The clock of a handshake under way must not run out.
                if (client.Table.Find(server.Id)!.State == PeerState.Disconnected)
                {
                    time.Advance(TimeSpan.FromSeconds(2));
                }

                return client.Table.FindConnected(server.Id) is not null;
            },
            "connected again");
    }

    [Fact]
    public async Task Failures_make_the_pauses_longer_and_a_reset_ends_them()
    {
        var time = new ManualTime();
        var dialer = new FailingDialer();
        await using var client = new TestNode(time: time, dialer: dialer);
        var address = Somebody("pub.example.com");
        client.Policy.Hops[address.Key!.Value] = 1;
        client.Book.AddFromPubMessage(address);
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 1 && client.Book.All[0].Failures == 1, "tried once");

        // Never worked, one hop, nothing else connected: (1 + 4 + 10 · 1³) · 0.1 · 3 = 4.5 s, and at random half of it.
        time.Advance(TimeSpan.FromSeconds(2.2));
        client.Scheduler.Look();
        await Task.Delay(50, Stop);
        Assert.Equal(1, dialer.Count);
        time.Advance(TimeSpan.FromSeconds(2.4));
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 2 && client.Book.All[0].Failures == 2, "tried again");

        // (1 + 4 + 10 · 2³) · 0.1 · 3 = 25.5 s, at random half of it.
        time.Advance(TimeSpan.FromSeconds(12));
        client.Scheduler.Look();
        await Task.Delay(50, Stop);
        Assert.Equal(2, dialer.Count);
        client.Scheduler.Reset();
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 3, "tried after the reset");
        Assert.Equal("no luck", client.Table.Find(address.Key.Value)!.LastError);
    }

    [Fact]
    public async Task What_the_network_told_is_dialled_only_when_public_and_known_and_welcome()
    {
        var dialer = new FailingDialer();
        await using var client = new TestNode(dialer: dialer);
        var stranger = Somebody("stranger.example.com");
        var friend = Somebody("friend.example.com");
        var blocked = Somebody("blocked.example.com");
        var neighbour = Somebody("192.168.1.7");
        var loopback = Somebody("localhost");
        var self = MultiserverAddress.Of(MultiserverTransport.Net, "self.example.com", 8008, client.Id);
        foreach (var address in (MultiserverAddress[])[friend, blocked, neighbour, loopback])
        {
            client.Policy.Hops[address.Key!.Value] = 1;
        }

        client.Policy.Block(blocked.Key!.Value);
        foreach (var address in (MultiserverAddress[])[stranger, friend, blocked, neighbour, loopback, self])
        {
            client.Book.AddFromPubMessage(address);
        }

        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count > 0, "somebody was dialled");
        await Task.Delay(50, Stop);
        Assert.Equal([("friend.example.com", true)], dialer.Dialled);
        Assert.DoesNotContain(client.Book.All, a => a.Address.Scope != AddressScope.Public || a.Feed == client.Id);
    }

    [Fact]
    public async Task No_more_are_dialled_than_wanted_and_one_address_a_peer()
    {
        var dialer = new HangingDialer();
        await using var client = new TestNode(new PeerOptions { MaxOutgoing = 3 }, dialer: dialer);
        var twice = KeyPair.Generate().Id;
        client.Book.Remember(MultiserverAddress.Of(MultiserverTransport.Net, "one.example.com", 8008, twice), AddressSource.Owner);
        client.Book.Remember(MultiserverAddress.Of(MultiserverTransport.Net, "two.example.com", 8008, twice), AddressSource.Owner);
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 1, "one of the two");
        for (var i = 0; i < 10; i++)
        {
            client.Book.Remember(Somebody($"pub{i}.example.com"), AddressSource.Owner);
        }

        client.Scheduler.Look();
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 3, "as many as wanted");
        await Task.Delay(50, Stop);
        Assert.Equal(3, dialer.Count);
    }

    [Fact]
    public async Task The_local_network_comes_first_then_the_owners_word_then_what_failed_least()
    {
        var time = new ManualTime();
        var dialer = new FailingDialer();
        await using var client = new TestNode(new PeerOptions { MaxOutgoing = 1 }, time, dialer: dialer);
        var failedOnce = Somebody("failed.example.com");
        client.Policy.Hops[failedOnce.Key!.Value] = 1;
        client.Book.Remember(failedOnce, AddressSource.PubMessage);
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => client.Book.All[0] is { Failures: 1, IsBusy: false }, "it has failed once");

        var inBothPlaces = KeyPair.Generate().Id;
        var neighbour = MultiserverAddress.Of(MultiserverTransport.Net, "192.168.1.7", 8008, inBothPlaces);
        client.Policy.Hops[inBothPlaces] = 1;
        client.Book.Remember(MultiserverAddress.Of(MultiserverTransport.Net, "same.example.com", 8008, inBothPlaces), AddressSource.PubMessage);
        client.Book.Remember(Somebody("owners.example.com"), AddressSource.Owner);
        var fresh = Somebody("fresh.example.com");
        client.Policy.Hops[fresh.Key!.Value] = 1;
        client.Book.Remember(fresh, AddressSource.PubMessage);
        client.Book.Remember(neighbour, AddressSource.LocalNetwork);
        time.Advance(TimeSpan.FromMinutes(2));
        for (var count = 2; count <= 5; count++)
        {
            client.Scheduler.Look();
            await Eventually.TrueAsync(() => dialer.Count == count && client.Book.All.All(static a => !a.IsBusy), "the next was dialled");
        }

        Assert.Equal("192.168.1.7", dialer.Dialled.ElementAt(1).Host);
        Assert.Equal("owners.example.com", dialer.Dialled.ElementAt(2).Host);
        Assert.Equal(["fresh.example.com", "same.example.com"], dialer.Dialled.Skip(3).Select(static d => d.Host).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("0.0.0.0")]
    [InlineData("fe80::1")]
    [InlineData("192.168.1.50")]
    public async Task The_local_network_cannot_make_the_box_dial_itself(string host)
    {
        var dialer = new FailingDialer();
        await using var client = new TestNode(dialer: dialer);
        client.Scheduler.IsOwn = static ip => ip.ToString() is "192.168.1.50" or "127.0.0.1";
        var friend = Somebody("192.168.1.7");
        foreach (var address in (MultiserverAddress[])[Somebody(host), friend])
        {
            client.Policy.Hops[address.Key!.Value] = 1;
            client.Book.Remember(address, AddressSource.LocalNetwork);
        }

        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count > 0, "the friend was dialled");
        await Task.Delay(50, Stop);
        Assert.Equal("192.168.1.7", Assert.Single(dialer.Dialled).Host);
    }

    [Fact]
    public async Task Without_a_network_no_internet_address_is_thought_worse_of()
    {
        var dialer = new FailingDialer();
        await using var client = new TestNode(dialer: dialer);
        var isOnline = false;
        client.Scheduler.IsOnline = () => isOnline;
        client.Book.Remember(Somebody("pub.example.com"), AddressSource.Owner);
        client.Scheduler.Look();
        await Task.Delay(50, Stop);
        Assert.Equal(0, dialer.Count);
        isOnline = true;
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => dialer.Count == 1, "dialled once there is a network");
    }

    [Fact]
    public async Task A_neighbour_takes_the_place_of_somebody_on_the_internet()
    {
        var time = new ManualTime();
        await using var far = await new TestNode(time: time).ListenAsync();
        await using var near = await new TestNode(time: time).ListenAsync();
        using var dialer = new RedirectingDialer(far, near);
        await using var client = new TestNode(new PeerOptions { MaxOutgoing = 1 }, time, dialer: dialer);
        client.Policy.Hops[far.Id] = client.Policy.Hops[near.Id] = 1;
        client.Book.Remember(MultiserverAddress.Of(MultiserverTransport.Net, "far.example.com", 8008, far.Id), AddressSource.PubMessage);
        client.Scheduler.Look();
        await Eventually.TrueAsync(() => client.Table.FindConnected(far.Id) is not null && client.Book.All[0].ConnectedAt is not null, "the far one is connected");

        time.Advance(TimeSpan.FromSeconds(21));
        client.Book.Remember(MultiserverAddress.Of(MultiserverTransport.Net, "192.168.1.7", 8008, near.Id), AddressSource.LocalNetwork);
        await Eventually.TrueAsync(
            () =>
            {
                client.Scheduler.Look();
                return client.Table.FindConnected(near.Id) is not null && client.Table.FindConnected(far.Id) is null;
            },
            "the neighbour is connected in its place");
    }

    [Fact]
    public async Task A_peer_that_lets_in_and_hangs_up_is_left_alone_for_longer_each_time()
    {
        var time = new ManualTime();
        await using var server = await new TestNode(time: time).ListenAsync();
        await using var client = new TestNode(time: time);
        client.Book.Remember(server.Address, AddressSource.Owner);
        for (var times = 1; times <= 3; times++)
        {
            client.Scheduler.Reset();
            time.Advance(TimeSpan.FromSeconds(4));
            client.Scheduler.Look();
            await Eventually.TrueAsync(() => client.Table.FindConnected(server.Id) is not null && server.Table.FindConnected(client.Id) is not null, "connected");
            await server.Server.DisconnectAsync(client.Id);
            await Eventually.TrueAsync(() => client.Table.FindConnected(server.Id) is null && client.Book.All[0] is { IsBusy: false }, "hung up");
            Assert.Equal(times, client.Book.All[0].Failures);
        }
    }

    [Fact]
    public async Task Connections_over_an_address_that_the_machine_lost_are_ended()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var client = new TestNode();
        await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        Assert.Equal("127.0.0.1", client.Table.FindConnected(server.Id)!.LocalAddress!.ToString());
        client.Server.EndStranded(System.Net.IPAddress.IsLoopback);
        await Task.Delay(50, Stop);
        Assert.NotNull(client.Table.FindConnected(server.Id));
        client.Server.EndStranded(static _ => false);
        await Eventually.TrueAsync(() => client.Table.FindConnected(server.Id) is null, "ended");
    }

    [Fact]
    public async Task A_flood_of_pub_messages_is_taken_a_few_at_a_time_and_never_without_end()
    {
        await using var client = new TestNode(dialer: new FailingDialer());
        for (var i = 0; i < 5000; i++)
        {
            client.Book.AddFromPubMessage(Somebody($"pub{i}.example.com"));
        }

        client.Scheduler.Look();
        Assert.Equal(8, client.Book.All.Count);
        for (var i = 0; i < 300; i++)
        {
            client.Book.TakeStaged(8);
        }

        Assert.Equal(1000, client.Book.All.Count);
        using var state = client.ReopenState();
        Assert.Equal(1000, new KnownAddressesTable(state).List().Count);
    }

    [Fact]
    public async Task Addresses_outlive_a_restart_without_seeds_and_can_be_forgotten()
    {
        await using var client = new TestNode();
        var kept = Somebody("kept.example.com");
        var withSeed = MultiserverAddress.Of(MultiserverTransport.Net, "invite.example.com", 8008, KeyPair.Generate().Id, new Bytes32(new byte[32]));
        Assert.True(client.Book.Remember(kept, AddressSource.Owner));
        Assert.True(client.Book.Remember(withSeed, AddressSource.Invite));
        Assert.True(client.Book.Remember(Somebody("configured.example.com"), AddressSource.Owner, isKept: false));
        Assert.True(client.Book.Remember(Somebody("192.168.1.9"), AddressSource.LocalNetwork));
        client.Book.Save();

        using var state = client.ReopenState();
        var again = new AddressBook(new KnownAddressesTable(state), client.Id);
        Assert.Equal(["invite.example.com", "kept.example.com"], again.All.Select(a => a.Address.Host).Order(StringComparer.Ordinal));
        Assert.All(again.All, a => Assert.Null(a.Address.Seed));
        Assert.True(again.Forget(kept));
        Assert.False(again.Forget(kept));
        Assert.Single(new KnownAddressesTable(state).List());
    }

    [Theory]
    [InlineData("""{"host":"pub.example.com","port":8008,"key":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519"}""", "net:pub.example.com:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")]
    [InlineData("""{"host":"pub.example.com","key":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519","remote":"x"}""", "net:pub.example.com:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")]
    [InlineData("\"net:pub.example.com:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=\"", "net:pub.example.com:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")]
    [InlineData("""{"address":"pub.example.com:8008:@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519"}""", "net:pub.example.com:8008~shs:iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=")]
    [InlineData("""{"host":"pub.example.com","port":"8008","key":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519"}""", null)]
    [InlineData("""{"host":"pub.example.com","port":99999,"key":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519"}""", null)]
    [InlineData("""{"host":null,"port":8008,"key":"nobody"}""", null)]
    [InlineData("[1]", null)]
    [InlineData("null", null)]
    public void Addresses_of_pub_messages_are_read_in_both_forms(string json, string? expected)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal(expected is not null, PubAddress.TryRead(document.RootElement, out var address));
        Assert.Equal(expected, address?.ToString());
    }

    private static MultiserverAddress Somebody(string host) =>
        MultiserverAddress.Of(MultiserverTransport.Net, host, 8008, KeyPair.Generate().Id);

    private sealed class FailingDialer : IPeerDialer
    {
        private readonly ConcurrentQueue<(string, bool)> _dialled = new();

        public int Count => _dialled.Count;

        public IEnumerable<(string Host, bool PublicOnly)> Dialled => _dialled;

        public bool CanDial(MultiserverAddress address) => true;

        public ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
        {
            _dialled.Enqueue((address.Host, publicOnly));
            throw new PeerConnectException("no luck");
        }
    }

    /// <summary>Reaches two nodes on loopback under other names.</summary>
    private sealed class RedirectingDialer(params TestNode[] nodes) : IPeerDialer, IDisposable
    {
        private readonly TcpDialer _tcp = new(NullLoggerFactory.Instance);

        public bool CanDial(MultiserverAddress address) => true;

        public ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken) =>
            _tcp.DialAsync(nodes.Single(node => node.Id == address.Key).Address, publicOnly: false, cancellationToken);

        public void Dispose() => _tcp.Dispose();
    }

    private sealed class HangingDialer : IPeerDialer
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public bool CanDial(MultiserverAddress address) => true;

        public async ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _count);
            await Task.Delay(Timeout.Infinite, cancellationToken);
            throw new IOException();
        }
    }
}
