using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Hostile;

/// <summary>A peer with a proven identity, which then says what it likes: frames by hand, or a session with methods of its own.</summary>
internal sealed class Guest : IAsyncDisposable
{
    private readonly Socket socket;
    private readonly BoxStream wire;
    private MuxRpcSession? session;

    private Guest(Socket socket, BoxStream wire) => (this.socket, this.wire) = (socket, wire);

    /// <summary>Bytes that have come and were not read.</summary>
    public int Unread => socket.Available;

    /// <summary>Connects and makes the handshake.</summary>
    /// <exception cref="HandshakeException">It was not let in.</exception>
    public static async Task<Guest> ConnectAsync(Target target, IPAddress from, KeyPair? key = null, int receives = 0)
    {
        var connection = await target.ConnectAsync(from, receives);
        try
        {
            var pipe = new SocketPipe(new NetworkStream(connection, ownsSocket: false));
            var hands = await SecretHandshake.ConnectAsync(pipe, key ?? KeyPair.Generate(), target.Id, target.Network, TestContext.Current.CancellationToken);
            return new Guest(connection, new BoxStream(pipe, hands.Keys));
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Speaks muxrpc from here on.</summary>
    public MuxRpcSession Speak(Target target, RpcMethods? methods = null)
    {
        session = new MuxRpcSession(wire, target.Id, methods ?? new RpcMethods(), RpcCallers.Peer, isOwner: false, MuxRpcLimits.Default, TimeProvider.System);
        _ = session.RunAsync(CancellationToken.None);
        return session;
    }

    /// <summary>Writes a frame, whole or as it announces to be.</summary>
    public async Task WriteAsync(byte flags, int number, string body, uint? announced = null)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var header = new byte[FrameHeader.Length];
        (FrameHeader.Read([flags, 0, 0, 0, 0, 0, 0, 0, 0]) with { BodyLength = announced ?? (uint)bytes.Length, Number = number }).Write(header);
        await WriteAsync((byte[])[.. header, .. bytes]);
    }

    /// <summary>Writes bytes into the encrypted stream.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        wire.Output.Write(bytes.Span);
        _ = await wire.Output.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Reads all that comes, and forgets it; completes when the box has hung up.</summary>
    public async Task DrainAsync()
    {
        try
        {
            while (true)
            {
                var read = await wire.Input.ReadAsync(TestContext.Current.CancellationToken);
                wire.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or BoxStreamException)
        {
            // Hung up on.
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First, since a session waits for what it still writes, and the box may not read it.
        socket.Dispose();
        if (session is not null)
        {
            session.Cut();
            await session.DisposeAsync();
        }
    }

    private sealed class SocketPipe(Stream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream);

        public PipeWriter Output { get; } = PipeWriter.Create(stream);
    }
}
