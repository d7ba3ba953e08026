using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PiPub.BrowserTests;

/// <summary>The way from a browser to a box's pages, which can be cut and mended.</summary>
internal sealed class WayToBox : IDisposable
{
    private readonly ConcurrentBag<Socket> sockets = [];
    private readonly int target;
    private readonly int port;
    private TcpListener listener = new(IPAddress.Loopback, 0);

    public WayToBox(string webPort)
    {
        target = int.Parse(webPort);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = AcceptAsync(listener);
    }

    /// <summary>What the browser takes for the box.</summary>
    public string Origin => $"http://127.0.0.1:{port}";

    /// <summary>Nothing goes through any more.</summary>
    public void Cut()
    {
        listener.Dispose();
        while (sockets.TryTake(out var socket))
        {
            socket.Dispose();
        }
    }

    /// <summary>As before.</summary>
    public void Mend()
    {
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        _ = AcceptAsync(listener);
    }

    public void Dispose() => Cut();

    private async Task AcceptAsync(TcpListener from)
    {
        try
        {
            while (true)
            {
                _ = PassOnAsync(await from.AcceptSocketAsync());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private async Task PassOnAsync(Socket near)
    {
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(near);
        sockets.Add(far);
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, target);
            await using var browser = new NetworkStream(near, ownsSocket: true);
            await using var box = new NetworkStream(far, ownsSocket: true);
            await Task.WhenAny(browser.CopyToAsync(box), box.CopyToAsync(browser));
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // Cut.
        }
    }
}
