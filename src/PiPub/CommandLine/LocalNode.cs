using System.IO.Pipelines;
using System.Net.Sockets;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>
/// The way to the node that runs on a data directory: muxrpc over the unix socket <c>socket</c> in it, which only the
/// same user can open. There is no handshake: whoever can open the socket could read the secret beside it.
/// </summary>
internal sealed class LocalNode : IDuplexPipe, IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private Task _running = Task.CompletedTask;

    private LocalNode(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket);
        Input = PipeReader.Create(_stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024));
        Output = PipeWriter.Create(_stream);
        Session = new MuxRpcSession(this, default, new RpcMethods(), RpcCallers.Peer, isOwner: false, MuxRpcLimits.Default, TimeProvider.System);
    }

    public MuxRpcSession Session { get; }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    /// <summary>Connects to the node that runs on a data directory.</summary>
    /// <exception cref="CommandFailedException">None runs there, or it belongs to somebody else.</exception>
    public static async Task<LocalNode> ConnectAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(dataDirectory, "socket")), cancellationToken);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw e is SocketException { SocketErrorCode: SocketError.AccessDenied }
                ? new CommandFailedException($"The node on {dataDirectory} belongs to another user. Run this command as that user.", e)
                : new CommandFailedException($"No PiPub node is running on {dataDirectory}. Start it with: pipub run --data-directory {dataDirectory}", e);
        }

        var node = new LocalNode(socket);
        node._running = node.Session.RunAsync(CancellationToken.None);
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await Session.DisposeAsync();
        try
        {
            await _running;
        }
        catch (RpcProtocolException)
        {
            // Whoever waited for an answer has been told.
        }

        await _stream.DisposeAsync();
        _socket.Dispose();
    }
}
