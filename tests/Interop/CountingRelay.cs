using System.Net;
using System.Net.Sockets;

namespace PiPub.Interop;

/// <summary>A TCP relay on loopback that counts what goes through: what a peer fetched again cannot hide from it.</summary>
internal sealed class CountingRelay : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly int target;
    private long toTarget;
    private long fromTarget;

    /// <summary>Relays connections to the port of a multiserver address.</summary>
    public CountingRelay(string address)
    {
        var parts = address.Split('~', 2);
        target = int.Parse(parts[0].Split(':')[^1]);
        listener.Start();
        Address = $"net:127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}~{parts[1]}";
        _ = AcceptAsync();
    }

    /// <summary>The same peer, by way of this relay.</summary>
    public string Address { get; }

    public long BytesToTarget => Interlocked.Read(ref toTarget);

    public long BytesFromTarget => Interlocked.Read(ref fromTarget);

    public ValueTask DisposeAsync()
    {
        stopping.Cancel();
        listener.Dispose();
        stopping.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = RelayAsync(await listener.AcceptTcpClientAsync(stopping.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, target);
            near.NoDelay = far.NoDelay = true;
            await Task.WhenAny(
                PumpAsync(near.GetStream(), far.GetStream(), count => Interlocked.Add(ref toTarget, count)),
                PumpAsync(far.GetStream(), near.GetStream(), count => Interlocked.Add(ref fromTarget, count)));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // Whoever of the two is gone, both connections end.
        }
    }

    private static async Task PumpAsync(NetworkStream from, NetworkStream to, Action<int> count)
    {
        var buffer = new byte[65_536];
        try
        {
            for (int read; (read = await from.ReadAsync(buffer)) > 0;)
            {
                count(read);
                await to.WriteAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The end of one direction.
        }
    }
}
