using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace PiPub.Node.Peers;

/// <summary>Where Kestrel hands TCP connections of the SSB port to the <see cref="PeerServer"/>. Kestrel switches Nagle's algorithm off.</summary>
public sealed class PeerConnectionHandler(PeerServer server) : ConnectionHandler
{
    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var remote = connection.RemoteEndPoint as IPEndPoint;
        return server.AcceptAsync(new PeerTransport(connection.Transport, remote?.Address, Describe(remote), connection.Abort)
        {
            Local = (connection.LocalEndPoint as IPEndPoint)?.Address,
        });
    }

    /// <summary>A remote end point as the beginning of a multiserver address, such as <c>net:192.168.1.5:40312</c>.</summary>
    public static string Describe(IPEndPoint? remote)
    {
        if (remote is null)
        {
            return "net";
        }

        var address = remote.Address.IsIPv4MappedToIPv6 ? remote.Address.MapToIPv4() : remote.Address;
        return $"net:{new IPAddress(address.GetAddressBytes())}:{remote.Port}";
    }
}

/// <summary>How Kestrel's sockets are set up for peers.</summary>
public static class PeerListening
{
    /// <summary>Most bytes of one connection that wait in memory for the handshake or the box stream, encrypted yet.</summary>
    internal const int MaxReadBuffer = 128 * 1024;

    /// <summary>
    /// Makes the sockets hold less than Kestrel's default of 1 MiB a connection that nobody reads:
    /// <c>UseSockets(PeerListening.Configure)</c>.
    /// </summary>
    public static void Configure(SocketTransportOptions sockets)
    {
        ArgumentNullException.ThrowIfNull(sockets);
        sockets.MaxReadBufferSize = MaxReadBuffer;
        sockets.NoDelay = true;
    }
}
