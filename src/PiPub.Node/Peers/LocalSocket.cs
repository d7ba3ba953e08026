using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>
/// The unix socket by which the owner's tools speak muxrpc without a handshake: the file <c>socket</c> in the data directory,
/// mode 0600, and only for processes of the same user (or root), which the kernel vouches for.
/// </summary>
/// <remarks>The JavaScript address is <c>unix:(path)~noauth</c>. Sources: multiserver 3.8.2, plugins unix-socket and noauth; unix(7), SO_PEERCRED.</remarks>
public sealed partial class LocalSocket : IAsyncDisposable
{
    /// <summary>The name of the file in the data directory.</summary>
    public const string FileName = "socket";

    /// <summary>What fits into sockaddr_un, without the final zero.</summary>
    private const int LongestPath = 107;

    private readonly PeerServer _server;
    private readonly Socket _listener;
    private readonly SocketConnectionContextFactory _pipes;
    private readonly Task _accepting;

    private LocalSocket(PeerServer server, Socket listener, string path, ILoggerFactory loggers)
    {
        _server = server;
        _listener = listener;
        Path = path;
        _pipes = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions { IOQueueCount = 1, MaxReadBufferSize = PeerListening.MaxReadBuffer }, loggers.CreateLogger<LocalSocket>());
        _accepting = AcceptAsync();
    }

    /// <summary>The socket's file.</summary>
    public string Path { get; }

    /// <summary>
    /// Listens on <c>socket</c> in the data directory. A file left there is replaced: the directory's lock has proven that no
    /// other node uses it.
    /// </summary>
    /// <exception cref="IOException">The path is too long for a socket, or the file cannot be made; the message says what to do.</exception>
    public static LocalSocket Listen(PeerServer server, string dataDirectory, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(loggers);
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(dataDirectory, FileName));
        if (System.Text.Encoding.UTF8.GetByteCount(path) > LongestPath)
        {
            throw new IOException($"The path {path} is too long for a socket, which may have {LongestPath} bytes. Use a data directory with a shorter path.");
        }

        File.Delete(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));

            // Nobody can connect before Listen, so nobody can before the mode is set.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(64);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new IOException($"The socket {path} for the command line cannot be made: {e.Message}", e);
        }

        return new LocalSocket(server, listener, path, loggers);
    }

    /// <summary>Connects to the node that runs on a data directory, as its owner. Dispose the session when done.</summary>
    /// <exception cref="SocketException">No node is running there, or it is another user's.</exception>
    public static async Task<MuxRpcSession> ConnectAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(System.IO.Path.Combine(dataDirectory, FileName)), cancellationToken);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var stream = new NetworkStream(socket, ownsSocket: true);
        var session = new MuxRpcSession(new StreamPipe(stream), default, new RpcMethods(), RpcCallers.Owner, isOwner: true, MuxRpcLimits.Default, TimeProvider.System);
        _ = session.RunAsync(CancellationToken.None).ContinueWith(_ => stream.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return session;
    }

    /// <summary>Stops listening and removes the file. Connections are the server's to close.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        File.Delete(Path);
        _pipes.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException { SocketErrorCode: SocketError.OperationAborted } or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, or the caller was gone at once.
                await Task.Delay(100);
                continue;
            }

            if (IsSameUser(socket))
            {
                _ = _server.AcceptOwnerAsync(TcpDialer.OverSocket(_pipes, socket, remote: null, "unix:" + Path + "~noauth"));
            }
            else
            {
                socket.Dispose();
            }
        }
    }

    private static bool IsSameUser(Socket socket)
    {
        const int solSocket = 1;
        const int soPeerCred = 17;
        Span<byte> credentials = stackalloc byte[12];
        return socket.GetRawSocketOption(solSocket, soPeerCred, credentials) == credentials.Length
            && MemoryMarshal.Read<uint>(credentials[4..]) is var user
            && (user == 0 || user == geteuid());
    }

    [LibraryImport("libc")]
    private static partial uint geteuid();

    private sealed class StreamPipe(Stream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));

        public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
    }
}
