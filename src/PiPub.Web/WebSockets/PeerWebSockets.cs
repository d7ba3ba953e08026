using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using PiPub.Node.Peers;

namespace PiPub.Web.WebSockets;

/// <summary>The entrance for peers that come by WebSocket.</summary>
public static class PeerWebSockets
{
    /// <summary>
    /// Hands every WebSocket, whatever its path, to <paramref name="accept"/>, which runs the handshake and all that
    /// follows; when it returns the socket is closed. Paths below /_ are left to the web server's own use.
    /// </summary>
    /// <param name="app">The web application.</param>
    /// <param name="accept">Gets the connection, and completes when it has ended.</param>
    public static void MapPeerWebSockets(this WebApplication app, Func<PeerTransport, Task> accept)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(accept);
        // No keep-alive: muxrpc has its own pings, and a timer a connection costs.
        app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = TimeSpan.Zero });
        app.Use((context, next) => IsPeer(context) ? ServeAsync(context, accept) : next(context));
    }

    private static bool IsPeer(HttpContext context) =>
        context.WebSockets.IsWebSocketRequest && !context.Request.Path.Value!.StartsWith("/_", StringComparison.Ordinal);

    private static async Task ServeAsync(HttpContext context, Func<PeerTransport, Task> accept)
    {
        var from = new IPEndPoint(context.Connection.RemoteIpAddress ?? IPAddress.None, context.Connection.RemotePort);
        await using var transport = new WebSocketTransport(await context.WebSockets.AcceptWebSocketAsync());
        await accept(new PeerTransport(transport, from.Address, $"ws:{from}", transport.Abort) { Local = context.Connection.LocalIpAddress });
    }
}
