using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Peers;

public class PeerServerTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_nodes_connect_call_each_other_and_ping()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var client = await new TestNode().ListenAsync();

        var peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        Assert.Equal(server.Id, peer.Id);
        Assert.True(peer.IsOutgoing);
        Assert.Equal(server.Id.ToString(), (await peer.Session.CallAsync("whoami", NoArgs, Stop)).ToJson().GetProperty("id").GetString());

        await Eventually.TrueAsync(() => server.Table.FindConnected(client.Id) is not null, "the server knows of the client");
        var back = server.Table.FindConnected(client.Id)!;
        Assert.False(back.IsOutgoing);
        Assert.True(MultiserverAddress.TryParse(back.Address, out var address) && address.Key == client.Id && address.Host == "127.0.0.1", back.Address);
        var manifest = (await back.Session.CallAsync("manifest", NoArgs, Stop)).ToJson();
        Assert.Equal("duplex", manifest.GetProperty("gossip").GetProperty("ping").GetString());

        await Eventually.TrueAsync(() => client.Table.Find(server.Id)!.RoundTrip is not null, "a ping came back");
        var status = client.Table.Find(server.Id)!;
        Assert.InRange(status.ClockSkew!.Value, TimeSpan.FromSeconds(-30), TimeSpan.FromSeconds(30));
        Assert.Equal(PeerState.Connected, status.State);
        Assert.True(status.BytesReceived > 0 && status.BytesSent > 0);

        Assert.Same(peer, await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop));
        Assert.True(await client.Server.DisconnectAsync(server.Id));
        await Eventually.TrueAsync(() => server.Table.Find(client.Id)!.State == PeerState.Disconnected, "the server saw the end");
        Assert.Equal(PeerState.Disconnected, client.Table.Find(server.Id)!.State);
        Assert.Null(client.Table.Find(server.Id)!.LastError);
    }

    [Fact]
    public async Task The_owners_calls_are_not_for_peers()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var client = new TestNode();
        var peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        var e = await Assert.ThrowsAsync<RpcException>(() => peer.Session.CallAsync("conn.connect", NoArgs, Stop));
        Assert.Equal("method:conn,connect is not in list of allowed methods", e.Message);
    }

    [Fact]
    public async Task Another_network_is_told_apart()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var stranger = new TestNode(network: new NetworkKey(new Bytes32(RandomNumberGenerator.GetBytes(32))));
        await Assert.ThrowsAsync<PeerConnectException>(() => stranger.Server.ConnectAsync(server.Address, publicOnly: false, Stop));
        Assert.Equal(PeerState.Failed, stranger.Table.Find(server.Id)!.State);
        Assert.NotNull(stranger.Table.Find(server.Id)!.LastError);
        Assert.Empty(server.Table.Snapshot());
    }

    [Fact]
    public async Task A_block_ends_the_session_and_refuses_the_next_handshake()
    {
        await using var server = await new TestNode().ListenAsync();
        await using var client = await new TestNode().ListenAsync();
        var peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        await Eventually.TrueAsync(() => server.Table.FindConnected(client.Id) is not null, "connected");

        server.Policy.Block(client.Id);
        await Eventually.TrueAsync(() => peer.Session.Closed.IsCancellationRequested, "the session has ended");
        await Eventually.TrueAsync(() => server.Table.FindConnected(client.Id) is null && client.Table.FindConnected(server.Id) is null, "nobody is connected");

        var e = await Assert.ThrowsAsync<PeerConnectException>(() => client.Server.ConnectAsync(server.Address, publicOnly: false, Stop));
        Assert.Contains("refused", e.Message, StringComparison.Ordinal);
        e = await Assert.ThrowsAsync<PeerConnectException>(() => server.Server.ConnectAsync(client.Address, publicOnly: false, Stop));
        Assert.Contains("blocks", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_owner_may_do_everything_on_loopback_as_often_as_wished()
    {
        var services = new CountingService();
        await using var server = await new TestNode(services: [services]).ListenAsync();
        await using var first = await RawClient.ConnectAsync(server, server.Self);
        await using var second = await RawClient.ConnectAsync(server, server.Self);
        foreach (var client in (RawClient[])[first, second])
        {
            var peers = (await client.Session.CallAsync("gossip.peers", NoArgs, Stop)).ToJson();
            Assert.Equal(0, peers.GetArrayLength());
        }

        // No peer, nothing to replicate.
        Assert.Equal(0, services.Count);
        Assert.Empty(server.Table.Snapshot());
    }

    [Fact]
    public async Task The_owners_key_from_elsewhere_is_refused()
    {
        await using var server = new TestNode();
        var (near, far) = Pipes();
        var accepting = server.Server.AcceptAsync(new PeerTransport(far, IPAddress.Parse("203.0.113.5"), "net:203.0.113.5:1", () => { }));
        var e = await Assert.ThrowsAsync<HandshakeException>(() => SecretHandshake.ConnectAsync(near, server.Self, server.Id, TestNode.Network, Stop));
        Assert.Equal(HandshakeFailure.Refused, e.Failure);
        await accepting;
    }

    [Fact]
    public async Task The_key_of_an_invite_may_only_use_it()
    {
        var services = new CountingService();
        await using var server = await new TestNode(new PeerOptions { MaxConnectionsPerInvite = 2 }, services: [services]).ListenAsync();
        server.Methods.Async("invite.use", RpcCallers.Invite, (request, _) => new(RpcBody.Json($"\"{request.Session.Remote}\"")));
        var invite = KeyPair.Generate();
        server.Policy.Invites.Add(invite.Id);
        await using var client = await RawClient.ConnectAsync(server, invite);
        await using var another = await RawClient.ConnectAsync(server, invite);

        Assert.Equal(invite.Id.ToString(), (await client.Session.CallAsync("invite.use", NoArgs, Stop)).ToJson().GetString());
        foreach (var forbidden in (string[])["whoami", "gossip.ping", "conn.connect"])
        {
            var e = await Assert.ThrowsAsync<RpcException>(() => client.Session.CallAsync(forbidden, NoArgs, Stop));
            Assert.True(e.IsMissingMethod);
        }

        _ = await another.Session.CallAsync("invite.use", NoArgs, Stop);
        Assert.Equal(0, services.Count);
        await Assert.ThrowsAsync<HandshakeException>(() => RawClient.ConnectAsync(server, invite));
    }

    [Fact]
    public async Task The_newest_connection_of_a_peer_takes_the_place_of_the_older()
    {
        await using var server = await new TestNode().ListenAsync();
        var key = KeyPair.Generate();
        await using var older = await RawClient.ConnectAsync(server, key);
        await Eventually.TrueAsync(() => server.Table.FindConnected(key.Id) is not null, "the first is connected");
        await using var newer = await RawClient.ConnectAsync(server, key);
        await Eventually.TrueAsync(() => older.Session.Closed.IsCancellationRequested, "the older was closed");
        _ = await newer.Session.CallAsync("whoami", NoArgs, Stop);
        Assert.Equal(PeerState.Connected, server.Table.Find(key.Id)!.State);
        Assert.Single(server.Table.Connected);
    }

    [Fact]
    public async Task When_both_dial_at_once_one_connection_stays()
    {
        await using var a = await new TestNode().ListenAsync();
        await using var b = await new TestNode().ListenAsync();
        for (var round = 0; round < 5; round++)
        {
            try
            {
                await Task.WhenAll(
                    a.Server.ConnectAsync(b.Address, publicOnly: false, Stop),
                    b.Server.ConnectAsync(a.Address, publicOnly: false, Stop));
            }
            catch (PeerConnectException)
            {
                // The losing dial may see its connection go before its handshake is done.
            }

            await Eventually.TrueAsync(
                () => a.Table.FindConnected(b.Id) is { } there && b.Table.FindConnected(a.Id) is { } back
                    && there.IsOutgoing != back.IsOutgoing
                    && !there.Session.Closed.IsCancellationRequested && !back.Session.Closed.IsCancellationRequested,
                "both hold the two ends of one connection");
            Assert.Equal(a.Id.ToString(), (await b.Table.FindConnected(a.Id)!.Session.CallAsync("whoami", NoArgs, Stop)).ToJson().GetProperty("id").GetString());
            await a.Server.DisconnectAsync(b.Id);
            await Eventually.TrueAsync(() => b.Table.FindConnected(a.Id) is null && a.Table.FindConnected(b.Id) is null, "apart again");
        }
    }

    [Fact]
    public async Task A_failing_service_ends_only_itself()
    {
        await using var server = await new TestNode(services: [new FailingService()]).ListenAsync();
        await using var client = new TestNode();
        var peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        Assert.NotEqual(default, (await peer.Session.CallAsync("whoami", NoArgs, Stop)).Bytes);
    }

    [Fact]
    public async Task Closing_a_node_says_goodbye_to_everybody()
    {
        await using var client = new TestNode();
        Peer peer;
        await using (var server = await new TestNode().ListenAsync())
        {
            peer = await client.Server.ConnectAsync(server.Address, publicOnly: false, Stop);
        }

        await Eventually.TrueAsync(() => peer.Session.Closed.IsCancellationRequested, "the session has ended");
        Assert.Null(client.Table.Find(peer.Id)!.LastError);
    }

    [Fact]
    public async Task Dialling_nobody_says_why()
    {
        await using var client = new TestNode();
        await using var server = await new TestNode().ListenAsync();
        using var unused = new TcpListener(IPAddress.Loopback, 0);
        unused.Start();
        var port = ((IPEndPoint)unused.LocalEndpoint).Port;
        unused.Stop();
        var nobody = MultiserverAddress.Of(MultiserverTransport.Net, "127.0.0.1", port, server.Id);
        var e = await Assert.ThrowsAsync<PeerConnectException>(() => client.Server.ConnectAsync(nobody, publicOnly: false, Stop));
        Assert.Equal($"127.0.0.1:{port} cannot be reached: nothing listens there.", e.Message);
        Assert.Equal(e.Message, client.Table.Find(server.Id)!.LastError);

        e = await Assert.ThrowsAsync<PeerConnectException>(() => client.Server.ConnectAsync(server.Address, publicOnly: true, Stop));
        Assert.Contains("home network", e.Message, StringComparison.Ordinal);
        var onion = MultiserverAddress.Of(MultiserverTransport.Onion, "abc.onion", 8008, server.Id);
        e = await Assert.ThrowsAsync<PeerConnectException>(() => client.Server.ConnectAsync(onion, publicOnly: false, Stop));
        Assert.Contains("cannot reach addresses of the kind", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<PeerConnectException>(() => server.Server.ConnectAsync(server.Address, publicOnly: false, Stop));

        // Whoever is met must be whom one expected.
        var wrong = MultiserverAddress.Of(MultiserverTransport.Net, "127.0.0.1", server.Port, KeyPair.Generate().Id);
        await Assert.ThrowsAsync<PeerConnectException>(() => client.Server.ConnectAsync(wrong, publicOnly: false, Stop));
    }

    internal static (IDuplexPipe Near, IDuplexPipe Far) Pipes()
    {
        var there = new Pipe();
        var back = new Pipe();
        return (new Ends(back.Reader, there.Writer), new Ends(there.Reader, back.Writer));
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }

    private sealed class CountingService : IPeerService
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Task RunAsync(Peer peer, CancellationToken connectionEnded)
        {
            Interlocked.Increment(ref _count);
            return Task.CompletedTask;
        }
    }

    private sealed class FailingService : IPeerService
    {
        public Task RunAsync(Peer peer, CancellationToken connectionEnded) => throw new InvalidOperationException("broken");
    }
}

/// <summary>A client with any key, that offers nothing.</summary>
internal sealed class RawClient(Socket socket, MuxRpcSession session, Task running) : IAsyncDisposable
{
    public MuxRpcSession Session => session;

    public Task Running => running;

    public static async Task<RawClient> ConnectAsync(TestNode server, KeyPair self, RpcMethods? methods = null)
    {
        var (socket, pipe) = await OpenAsync(server);
        try
        {
            var result = await SecretHandshake.ConnectAsync(pipe, self, server.Id, TestNode.Network, TestContext.Current.CancellationToken);
            var session = new MuxRpcSession(new BoxStream(pipe, result.Keys), server.Id, methods ?? new RpcMethods(), RpcCallers.Peer, false, MuxRpcLimits.Default, TimeProvider.System);
            return new RawClient(socket, session, session.RunAsync(CancellationToken.None));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static async Task<(Socket Socket, IDuplexPipe Pipe)> OpenAsync(TestNode server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Port);
        return (socket, new SocketPipe(new NetworkStream(socket, ownsSocket: false)));
    }

    public async ValueTask DisposeAsync()
    {
        await session.DisposeAsync();
        socket.Dispose();
    }

    private sealed class SocketPipe(Stream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream);

        public PipeWriter Output { get; } = PipeWriter.Create(stream);
    }
}
