using System.Collections.Concurrent;

namespace PiPub.NetworkTests.Lab;

/// <summary>Listens on a TCP port of a host, on all its addresses, and notes who comes. It says nothing, and keeps the connection.</summary>
internal sealed class Listener
{
    private const string Program = """
        const net = require('net')
        const server = net.createServer((socket) => {
          console.log(socket.remoteAddress)
          socket.on('error', () => {}).on('close', () => console.log('closed')).resume()
        })
        server.listen(Number(process.argv[1]), '::', () => console.log('listening'))
        """;

    private readonly ConcurrentQueue<string> _callers = new();
    private int _closed;

    /// <summary>Addresses of those who came, in their order; IPv4 ones as ::ffff:1.2.3.4.</summary>
    public IReadOnlyCollection<string> Callers => _callers;

    /// <summary>How many of their connections are open.</summary>
    public int Open => _callers.Count - Volatile.Read(ref _closed);

    /// <summary>Begins to listen.</summary>
    public static async Task<Listener> StartAsync(LabHost host, int port)
    {
        var listener = new Listener();
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = host.Start(
            line =>
            {
                if (line == "closed")
                {
                    Interlocked.Increment(ref listener._closed);
                }
                else if (!listening.TrySetResult())
                {
                    listener._callers.Enqueue(line);
                }
            },
            "node", "-e", Program, $"{port}");
        if (await Task.WhenAny(listening.Task, process.WaitForExitAsync(TestContext.Current.CancellationToken)) != listening.Task)
        {
            throw new InvalidOperationException($"Nothing listens on port {port} of {host.Name}:\n{process.Complaints}");
        }

        return listener;
    }

    /// <summary>Whether a TCP connection can be made; a silent drop takes two seconds to be one.</summary>
    /// <param name="from">The host that tries.</param>
    /// <param name="address">An IP address; a link-local one with its zone, such as fe80::1%eth0.</param>
    /// <param name="port">The port.</param>
    public static async Task<bool> AnswersAsync(LabHost from, string address, int port) =>
        (await from.TryRunAsync("timeout", "2", "bash", "-c", $"exec 3<>/dev/tcp/{address}/{port}")).ExitCode == 0;
}
