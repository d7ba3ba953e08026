using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Peers;

public class PeerLimitTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Slow_and_half_open_handshakes_are_cut_and_others_served_meanwhile()
    {
        await using var server = await new TestNode(new PeerOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(500) }).ListenAsync();
        var hostile = new List<Socket>();
        for (var i = 0; i < 30; i++)
        {
            var (socket, _) = await RawClient.OpenAsync(server);
            hostile.Add(socket);
            if (i % 3 == 1)
            {
                await socket.SendAsync(new byte[63], Stop);
            }
            else if (i % 3 == 2)
            {
                await socket.SendAsync("GET / HTTP/1.1\r\nHost: pub\r\n\r\n"u8.ToArray(), Stop);
            }
        }

        await using (var honest = await RawClient.ConnectAsync(server, KeyPair.Generate()))
        {
            _ = await honest.Session.CallAsync("whoami", NoArgs, Stop);
        }

        var buffer = new byte[1];
        foreach (var socket in hostile)
        {
            try
            {
                Assert.Equal(0, await socket.ReceiveAsync(buffer, Stop));
            }
            catch (SocketException e)
            {
                Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
            }

            socket.Dispose();
        }
    }

    [Fact]
    public async Task No_more_peers_than_the_limit_but_always_the_owner()
    {
        await using var server = await new TestNode(new PeerOptions { MaxConnections = 3 }).ListenAsync();
        var clients = new List<RawClient>();
        for (var i = 0; i < 3; i++)
        {
            clients.Add(await RawClient.ConnectAsync(server, KeyPair.Generate()));
        }

        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 3, "three are connected");
        await Assert.ThrowsAsync<HandshakeException>(() => RawClient.ConnectAsync(server, KeyPair.Generate()));
        await using var owner = await RawClient.ConnectAsync(server, server.Self);
        _ = await owner.Session.CallAsync("whoami", NoArgs, Stop);

        await clients[0].DisposeAsync();
        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 2, "one has left");
        await using var late = await RawClient.ConnectAsync(server, KeyPair.Generate());
        _ = await late.Session.CallAsync("whoami", NoArgs, Stop);
        await clients[1].DisposeAsync();
        await clients[2].DisposeAsync();
    }

    [Fact]
    public void Connections_from_one_address_are_limited_at_once_and_over_time()
    {
        var time = new ManualTime();
        var options = new PeerOptions { MaxConnectionsPerAddress = 2, ConnectionRatePerAddress = 5 };
        var gate = new ConnectionGate(options, time);
        var there = IPAddress.Parse("198.51.100.7");
        Assert.Equal(GateVerdict.Open, gate.Enter(there));
        Assert.Equal(GateVerdict.Open, gate.Enter(there));
        Assert.Equal(GateVerdict.TooManyFromThere, gate.Enter(there));
        Assert.Equal(GateVerdict.Open, gate.Enter(IPAddress.Parse("198.51.100.8")));
        gate.Left(there);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(GateVerdict.Open, gate.Enter(there));
            gate.Left(there);
        }

        Assert.Equal(GateVerdict.TooOftenFromThere, gate.Enter(there));
        time.Advance(TimeSpan.FromSeconds(13));
        Assert.Equal(GateVerdict.Open, gate.Enter(there));
    }

    [Fact]
    public void A_household_of_IPv6_counts_as_one_and_loopback_not_at_all()
    {
        var gate = new ConnectionGate(new PeerOptions { MaxConnectionsPerAddress = 1, MaxHandshakes = 1000 }, new ManualTime());
        Assert.Equal(GateVerdict.Open, gate.Enter(IPAddress.Parse("2001:db8:1:2::1")));
        Assert.Equal(GateVerdict.TooManyFromThere, gate.Enter(IPAddress.Parse("2001:db8:1:2:ffff::9")));
        Assert.Equal(GateVerdict.Open, gate.Enter(IPAddress.Parse("2001:db8:1:3::1")));
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(GateVerdict.Open, gate.Enter(IPAddress.Loopback));
            Assert.Equal(GateVerdict.Open, gate.Enter(null));
        }
    }

    [Fact]
    public async Task A_peer_that_breaks_the_protocol_is_cut_remembered_and_logged_once()
    {
        var time = new ManualTime();
        var log = new ListLogger();
        await using var server = await new TestNode(time: time, logger: log).ListenAsync();
        var key = KeyPair.Generate();
        await OffendAsync(server, key);
        Assert.Contains("4294967295 bytes", server.Table.Find(key.Id)!.LastError, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HandshakeException>(() => RawClient.ConnectAsync(server, key));
        for (var i = 0; i < 5; i++)
        {
            var other = KeyPair.Generate();
            await OffendAsync(server, other);
        }

        Assert.Equal(1, log.Count("was cut"));
        time.Advance(TimeSpan.FromMinutes(11));
        await using var again = await RawClient.ConnectAsync(server, key);
        _ = await again.Session.CallAsync("whoami", NoArgs, Stop);
        await OffendAsync(server, KeyPair.Generate());
        await Eventually.TrueAsync(() => log.Count("was cut") == 2, "a second line after a while");
        Assert.Equal(1, log.Count("5 more of this kind"));
    }

    [Fact]
    public void Repeated_offences_close_the_gate_for_an_address_for_a_while()
    {
        var time = new ManualTime();
        var gate = new ConnectionGate(new PeerOptions(), time);
        var there = IPAddress.Parse("198.51.100.7");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(GateVerdict.Open, gate.Enter(there));
            gate.Offended(there);
            gate.Left(there);
        }

        Assert.Equal(GateVerdict.OffendedBefore, gate.Enter(there));
        time.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(GateVerdict.Open, gate.Enter(there));
    }

    [Fact]
    public void A_handshake_that_dawdles_gives_way_when_all_places_are_taken()
    {
        var time = new ManualTime();
        var gate = new ConnectionGate(new PeerOptions { MaxHandshakes = 4 }, time);
        var (hostile, other, honest) = (IPAddress.Parse("198.51.100.7"), IPAddress.Parse("198.51.100.8"), IPAddress.Parse("198.51.100.9"));
        var gaveWay = new List<int>();
        Assert.Equal(GateVerdict.Open, gate.Enter(other, () => gaveWay.Add(0), out var polite));
        for (var i = 1; i < 4; i++)
        {
            var number = i;
            Assert.Equal(GateVerdict.Open, gate.Enter(hostile, () => gaveWay.Add(number), out _));
        }

        // All are young: nobody gives way yet.
        Assert.Equal(GateVerdict.TooManyHandshakes, gate.Enter(honest, () => { }, out _));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(GateVerdict.Open, gate.Enter(honest, () => gaveWay.Add(9), out _));
        Assert.Equal([1], gaveWay);

        // Who has most places gets no other.
        Assert.Equal(GateVerdict.TooManyHandshakes, gate.Enter(hostile, () => { }, out _));
        gate.HandshakeEnded(polite);
        gate.HandshakeEnded();
        Assert.Equal(GateVerdict.Open, gate.Enter(other, () => { }, out _));
        Assert.Equal([1], gaveWay);
    }

    [Fact]
    public async Task A_friend_takes_a_strangers_place_when_all_are_taken_and_a_stranger_does_not()
    {
        await using var server = await new TestNode(new PeerOptions { MaxConnections = 2 }).ListenAsync();
        var (friend, known) = (KeyPair.Generate(), KeyPair.Generate());
        server.Policy.Hops[known.Id] = 1;
        server.Policy.Hops[friend.Id] = 2;
        await using var first = await RawClient.ConnectAsync(server, known);
        await using var stranger = await RawClient.ConnectAsync(server, KeyPair.Generate());
        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 2, "two are connected");
        await Assert.ThrowsAsync<HandshakeException>(() => RawClient.ConnectAsync(server, KeyPair.Generate()));
        await using var comes = await RawClient.ConnectAsync(server, friend);
        _ = await comes.Session.CallAsync("whoami", NoArgs, Stop);
        await Eventually.TrueAsync(() => stranger.Session.Closed.IsCancellationRequested, "the stranger has gone");
        _ = await first.Session.CallAsync("whoami", NoArgs, Stop);
    }

    [Fact]
    public async Task A_peer_that_sends_and_never_reads_is_hung_up_on()
    {
        var time = new ManualTime();
        await using var server = await new TestNode(time: time).ListenAsync();
        server.Methods.Source("flood", RpcCallers.Peer, static async (_, stream, stop) =>
        {
            var piece = new byte[60_000];
            while (true)
            {
                await stream.WriteAsync(BodyType.Binary, piece, stop);
            }
        });
        var (socket, pipe) = await RawClient.OpenAsync(server);
        using var ends = socket;
        var result = await SecretHandshake.ConnectAsync(pipe, KeyPair.Generate(), server.Id, TestNode.Network, Stop);
        var wire = new BoxStream(pipe, result.Keys);
        await WriteAsync(2 | 8, 1, """{"name":["flood"],"args":[],"type":"source"}"""u8.ToArray());
        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 1, "it is connected");
        for (var i = 0; i < 500 && server.Table.ConnectedCount > 0; i++)
        {
            // It goes on sending, so it is not silent.
            await WriteAsync(2, i + 2, """{"name":["whoami"],"args":[]}"""u8.ToArray());
            time.Advance(TimeSpan.FromSeconds(2));
            await Task.Delay(10, Stop);
        }

        Assert.Equal(0, server.Table.ConnectedCount);

        async Task WriteAsync(byte flags, int number, byte[] body)
        {
            var header = new byte[FrameHeader.Length];
            (FrameHeader.Read([flags, 0, 0, 0, 0, 0, 0, 0, 0]) with { BodyLength = (uint)body.Length, Number = number }).Write(header);
            try
            {
                wire.Output.Write(header);
                wire.Output.Write(body);
                _ = await wire.Output.FlushAsync(Stop);
            }
            catch (IOException)
            {
                // Hung up on already.
            }
        }
    }

    [Fact]
    public async Task What_is_sent_too_fast_is_read_more_slowly()
    {
        var time = new ManualTime();
        var pace = new InputPace(burst: 1000, perSecond: 100, time);
        Assert.True(pace.TakeAsync(1000, Stop).AsTask().IsCompleted);
        var held = pace.TakeAsync(200, Stop).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(held.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        await held.WaitAsync(Stop);
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(pace.TakeAsync(1000, Stop).AsTask().IsCompleted);
        Assert.False(pace.TakeAsync(1, Stop).AsTask().IsCompleted);
    }

    [Fact]
    public async Task A_silent_connection_is_closed_after_ten_minutes_and_a_pinged_one_is_not()
    {
        var time = new ManualTime();
        await using var server = await new TestNode(time: time).ListenAsync();
        await using var client = new TestNode(time: time);
        var silent = KeyPair.Generate();
        await using var raw = await RawClient.ConnectAsync(server, silent);
        await using var owner = await RawClient.ConnectAsync(server, server.Self);
        var peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 2 && client.Table.Find(server.Id)!.RoundTrip is not null, "connected and pinged");

        var session = (MuxRpcSession)peer.Session;
        var before = session.BytesReceived + session.BytesSent;
        for (var minute = 0; minute < 60; minute++)
        {
            time.Advance(TimeSpan.FromSeconds(60));
            if (minute % 6 == 5)
            {
                // Somebody serves every five minutes and a little, and a frame there and one back are 44 bytes.
                await Eventually.TrueAsync(() => session.BytesReceived + session.BytesSent >= before + 44, $"the ball crossed before minute {minute}");
                before = session.BytesReceived + session.BytesSent;
            }

            if (minute == 8)
            {
                Assert.False(raw.Session.Closed.IsCancellationRequested);
            }
        }

        await Eventually.TrueAsync(() => raw.Session.Closed.IsCancellationRequested, "the silent one was closed");
        Assert.NotNull(server.Table.FindConnected(client.Id));
        _ = await owner.Session.CallAsync("whoami", NoArgs, Stop);
    }

    [Fact]
    public async Task A_hostile_ping_is_returned_ball_by_ball_and_schedules_one_serve()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var client = await RawClient.ConnectAsync(server, KeyPair.Generate());
        var stream = client.Session.Open("gossip.ping", CallType.Duplex, "[{\"timeout\":1}]"u8.ToArray());
        for (var i = 0; i < 2000; i++)
        {
            await stream.WriteAsync(BodyType.Json, "\"not a number\""u8.ToArray(), Stop);
        }

        for (var i = 0; i < 2000; i++)
        {
            Assert.True((await stream.ReadAsync(Stop))!.Value.ToJson().GetInt64() > 0);
        }
    }

    [Fact]
    public async Task Two_hundred_clients_are_connected_at_once()
    {
        await using var server = await new TestNode().ListenAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => RawClient.ConnectAsync(server, KeyPair.Generate())));
        await Eventually.TrueAsync(() => server.Table.ConnectedCount == 200, "all are connected");
        await Task.WhenAll(clients.Select(c => c.Session.CallAsync("whoami", NoArgs, Stop)));
        await Task.WhenAll(clients.Select(c => c.DisposeAsync().AsTask()));
    }

    private static async Task OffendAsync(TestNode server, KeyPair key)
    {
        var (socket, pipe) = await RawClient.OpenAsync(server);
        var result = await SecretHandshake.ConnectAsync(pipe, key, server.Id, TestNode.Network, Stop);
        var box = new Scuttlebutt.BoxStreams.BoxStream(pipe, result.Keys);
        box.Output.Write(Convert.FromHexString("0effffffff00000001"));
        await box.Output.FlushAsync(Stop);
        await Eventually.TrueAsync(() => server.Table.Find(key.Id) is { State: PeerState.Disconnected }, "the connection was cut");
        socket.Dispose();
    }

    private sealed class ListLogger : ILogger<PeerServer>
    {
        private readonly List<string> _lines = [];

        public int Count(string part)
        {
            lock (_lines)
            {
                return _lines.Count(line => line.Contains(part, StringComparison.Ordinal));
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add(formatter(state, exception));
            }
        }
    }
}
