using System.Net.Sockets;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>
/// The way to the node that runs on a data directory: muxrpc over the unix socket <c>socket</c> in it, which only the
/// same user can open. There is no handshake: whoever can open the socket could read the secret beside it.
/// </summary>
internal static class LocalNode
{
    public static async Task<IRpcSession> ConnectAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        var path = Path.Combine(dataDirectory, "socket");
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            throw new NotSupportedException();
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            socket.Dispose();
            throw e is SocketException { SocketErrorCode: SocketError.AccessDenied }
                ? new CommandFailedException($"The node on {dataDirectory} belongs to another user. Run this command as that user.", e)
                : new CommandFailedException($"No PiPub node is running on {dataDirectory}. Start it with: pipub run --data-directory {dataDirectory}", e);
        }
    }
}
