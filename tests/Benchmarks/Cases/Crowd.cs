using System.IO.Pipelines;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Benchmarks.Cases;

/// <summary>
/// Many clients at once, each with a connection of its own, doing what a modern client does when it connects: it opens
/// blobs.createWants, gossip.ping and ebt.replicate, says that it has every feed of the corpus and wants what follows,
/// and stays.
/// </summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly List<(TcpClient Socket, MuxRpcSession Session)> clients = [];

    /// <summary>Clients that are connected and have been sent notes.</summary>
    public int Answered => answered;

    private int answered;
    private int seen;
    private int expected;
    private TaskCompletionSource all = new();

    /// <summary>Whose messages are waited for; null for nobody's.</summary>
    public string? Watched { get; init; }

    /// <summary>Completes when so many clients have been sent a message of <see cref="Watched"/> from now on.</summary>
    public Task WhenSeenByAll(int clients)
    {
        (seen, expected) = (0, clients);
        all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return all.Task;
    }

    public async Task ConnectAsync(int count, string address, string networkKey, string notes)
    {
        var network = NetworkKey.Parse(networkKey);
        for (var i = 0; i < count; i++)
        {
            try
            {
                clients.Add(await ConnectOneAsync(address, network, notes));
            }
            catch (Exception e) when (e is SocketException or IOException or HandshakeException)
            {
                throw new InvalidOperationException($"Client {i + 1} of {count} could not connect to {address}: {e.Message}", e);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (socket, session) in clients)
        {
            session.Cut();
            await session.DisposeAsync();
            socket.Dispose();
        }
    }

    private async Task<(TcpClient, MuxRpcSession)> ConnectOneAsync(string address, NetworkKey network, string notes)
    {
        if (!MultiserverAddress.TryParse(address, out var pub))
            throw new FormatException($"{address} is no address");
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(pub.Host, pub.Port);
        var transport = new SocketPipe(socket.GetStream());
        var self = KeyPair.FromSeed(RandomNumberGenerator.GetBytes(32));
        var hands = await SecretHandshake.ConnectAsync(transport, self, pub.Key!.Value, network, CancellationToken.None);
        var session = new MuxRpcSession(new BoxStream(transport, hands.Keys), hands.Remote, Methods(), RpcCallers.Peer, isOwner: false, MuxRpcLimits.Default, TimeProvider.System);
        _ = session.RunAsync(CancellationToken.None);

        _ = DrainAsync(session.Open("blobs.createWants", CallType.Source, "[]"u8.ToArray()));
        var ping = session.Open("gossip.ping", CallType.Duplex, """[{"timeout":300000}]"""u8.ToArray());
        await ping.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}"), CancellationToken.None);
        _ = DrainAsync(ping);
        var ebt = session.Open("ebt.replicate", CallType.Duplex, """[{"version":3,"format":"classic"}]"""u8.ToArray());
        _ = ReplicateAsync(ebt, notes);
        return (socket, session);
    }

    private async Task ReplicateAsync(RpcStream ebt, string notes)
    {
        if (await ebt.ReadAsync(CancellationToken.None) is null)
            return;
        Interlocked.Increment(ref answered);
        await ebt.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(notes), CancellationToken.None);
        await DrainAsync(ebt, Look);
    }

    private static RpcMethods Methods()
    {
        var methods = new RpcMethods();
        methods.Source("blobs.createWants", RpcCallers.Peer, async (_, stream, cancellationToken) =>
        {
            await stream.WriteAsync(BodyType.Json, "{}"u8.ToArray(), cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        });
        return methods;
    }

    private void Look(ReadOnlySpan<byte> body)
    {
        if (Watched is { } author && body.IndexOf("\"signature\":"u8) > 0 && body.IndexOf(Encoding.UTF8.GetBytes($"\"author\":\"{author}\"")) > 0
            && Interlocked.Increment(ref seen) == expected)
            all.TrySetResult();
    }

    /// <summary>Reads a stream to its end. A client would make something of it; here only the other side is measured.</summary>
    private static async Task DrainAsync(RpcStream stream, ReadOnlySpanAction? look = null)
    {
        try
        {
            while (await stream.ReadAsync(CancellationToken.None) is { } body)
                look?.Invoke(body.Bytes.Span);
        }
        catch (RpcException)
        {
            // The end of the run.
        }
    }

    private delegate void ReadOnlySpanAction(ReadOnlySpan<byte> body);

    private sealed class SocketPipe(NetworkStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream);

        public PipeWriter Output { get; } = PipeWriter.Create(stream);
    }
}
