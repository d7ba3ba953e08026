using System.Net.Sockets;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>The way to the node that runs on a data directory, and the words for when there is none.</summary>
internal static class LocalNode
{
    /// <summary>Connects over the local socket, as the owner.</summary>
    /// <exception cref="CommandFailedException">No node runs there, or it belongs to somebody else.</exception>
    public static async Task<MuxRpcSession> ConnectAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        try
        {
            return await LocalSocket.ConnectAsync(dataDirectory, cancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new CommandFailedException($"The node on {dataDirectory} belongs to another user. Run this command as that user.", e);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new CommandFailedException($"No PiPub node is running on {dataDirectory}. Start it with: pipub run --data-directory {dataDirectory}", e);
        }
    }

    /// <summary>Connects over the local socket, as the owner; null when no node runs there.</summary>
    public static async Task<MuxRpcSession?> TryConnectAsync(string dataDirectory, CancellationToken cancellationToken)
    {
        try
        {
            return await LocalSocket.ConnectAsync(dataDirectory, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return null;
        }
    }
}
