using System.Net.WebSockets;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Web.WebSockets;

/// <summary>Dials peers whose addresses begin with ws: or wss:.</summary>
public static class WebSocketDialler
{
    /// <summary>Opens a WebSocket to a peer; the handshake has not begun.</summary>
    /// <param name="address">A dialable ws or wss address.</param>
    /// <param name="cancellationToken">The caller's time-out.</param>
    /// <param name="http">What makes the connection, where it is not to be made the usual way.</param>
    /// <exception cref="IOException">Nobody answers there, or nobody who speaks WebSocket.</exception>
    public static async Task<WebSocketTransport> ConnectAsync(MultiserverAddress address, CancellationToken cancellationToken, HttpMessageInvoker? http = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        var socket = new ClientWebSocket();
        try
        {
            // Peers are dialled directly, as over TCP, and muxrpc has its own pings.
            if (http is null)
            {
                socket.Options.Proxy = null;
            }

            socket.Options.KeepAliveInterval = Timeout.InfiniteTimeSpan;
            await socket.ConnectAsync(address.ToWebSocketUri(), http, cancellationToken);
            return new WebSocketTransport(socket);
        }
        catch (WebSocketException error)
        {
            socket.Dispose();
            throw new IOException($"{address.ToWebSocketUri()} cannot be reached: {(error.InnerException ?? error).Message}", error);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
