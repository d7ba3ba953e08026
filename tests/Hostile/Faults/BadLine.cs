using System.Net;
using System.Net.Sockets;

namespace PiPub.Hostile.Faults;

/// <summary>A line to the box on which every byte takes its time, and connections break now and then.</summary>
internal sealed class BadLine : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource over = new();
    private readonly Target target;
    private readonly TimeSpan delay;
    private readonly List<TcpClient> open = [];

    public BadLine(Target target, TimeSpan delay)
    {
        (this.target, this.delay) = (target, delay);
        listener.Start();
        _ = AcceptAsync();
    }

    public IPEndPoint Door => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Cuts all connections, as a router that begins anew does.</summary>
    public void Break()
    {
        lock (open)
        {
            open.ForEach(static one => one.Dispose());
            open.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        listener.Dispose();
        Break();
        over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = RelayAsync(await listener.AcceptTcpClientAsync(over.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(TcpClient near)
    {
        var far = new TcpClient();
        try
        {
            await far.ConnectAsync(target.Door, over.Token);
            lock (open)
                open.AddRange([near, far]);
            await Task.WhenAny(PumpAsync(near.GetStream(), far.GetStream()), PumpAsync(far.GetStream(), near.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // The line broke.
        }

        near.Dispose();
        far.Dispose();
    }

    /// <summary>Passes on what was read a delay ago: late, not slowly.</summary>
    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var passing = Task.CompletedTask;
        var buffer = new byte[64 * 1024];
        for (int length; (length = await from.ReadAsync(buffer, over.Token)) > 0;)
        {
            var (piece, before, due) = (buffer[..length], passing, Task.Delay(delay, over.Token));
            passing = PassAsync();

            async Task PassAsync()
            {
                await before;
                await due;
                await to.WriteAsync(piece, over.Token);
            }
        }

        await passing;
    }
}
