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
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private volatile bool isCut;

    public WayToBox(string webPort)
    {
        target = int.Parse(webPort);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    /// <summary>What the browser takes for the box.</summary>
    public string Origin => $"http://127.0.0.1:{port}";

    /// <summary>Nothing goes through any more. The port stays taken, or somebody else might have it when the way is mended.</summary>
    public void Cut()
    {
        isCut = true;
        while (sockets.TryTake(out var socket))
        {
            socket.Dispose();
        }
    }

    /// <summary>As before.</summary>
    public void Mend() => isCut = false;

    public void Dispose()
    {
        listener.Dispose();
        Cut();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptSocketAsync();
                if (isCut)
                    near.Dispose();
                else
                    _ = PassOnAsync(near);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private async Task PassOnAsync(Socket near)
    {
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        sockets.Add(near);
        sockets.Add(far);
        if (isCut)
            Cut();
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
