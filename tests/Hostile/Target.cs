using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using PiPub.Interop;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Hostile;

/// <summary>
/// A box under attack. Its peers come from many addresses: a range of its own is local to the test's namespace, since what counts for
/// each address does not count for loopback.
/// </summary>
internal sealed class Target : IAsyncDisposable
{
    private static readonly Lazy<Task> Range = new(LayOutAsync);

    private readonly string directory;
    private readonly string networkKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private Target(string directory) => this.directory = directory;

    public PiPubProcess Box { get; private set; } = null!;

    public NetworkKey Network => NetworkKey.Parse(networkKey);

    public FeedId Id => FeedId.Parse(Box.Id);

    public IPEndPoint Door { get; private set; } = null!;

    /// <summary>What the box has spent on all its threads.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            using var process = Process.GetProcessById(Box.ProcessId);
            return process.TotalProcessorTime;
        }
    }

    /// <summary>The most memory that the box had in use since <see cref="ForgetPeak"/>, in bytes.</summary>
    public long Peak => 1024 * long.Parse(
        File.ReadLines($"/proc/{Box.ProcessId}/status").First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Sockets that the box has open.</summary>
    public int Sockets => new DirectoryInfo($"/proc/{Box.ProcessId}/fd").EnumerateFileSystemInfos().Count(static one => one.LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    /// <summary>An address of a peer: 10.66.(high).(low).</summary>
    public static IPAddress Address(int number) => new([10, 66, (byte)(1 + (number / 250)), (byte)(1 + (number % 250))]);

    /// <summary>Another way to the box, on loopback; null for the straight one.</summary>
    public IPEndPoint? Through { get; set; }

    /// <summary>Starts a box.</summary>
    /// <param name="within">A command within which it runs.</param>
    /// <param name="directory">Its data directory; null for a new one.</param>
    public static async Task<Target> StartAsync(string[]? within = null, string? directory = null)
    {
        LoopbackNamespace.Require();
        await Range.Value;
        var target = new Target(directory ?? Directory.CreateTempSubdirectory("pipub-hostile-").FullName) { Door = new IPEndPoint(IPAddress.Parse("10.66.0.1"), TestPort.Next()) };
        target.Box = await PiPubProcess.StartInAsync(
            within ?? ["env"], target.directory, target.networkKey,
            "--ssb-port", $"{target.Door.Port}", "--ssb-bind", "10.66.0.1", "--web-port", $"{TestPort.Next()}", "--https-port", "off", "--web-bind", "127.0.0.1",
            "--discovery", "off", "--map-port", "off", "--log-level", "info");
        return target;
    }

    /// <summary>Opens a connection from an address of the range.</summary>
    /// <param name="from">The address.</param>
    /// <param name="receives">How many bytes the system takes for it before it reads; 0 for the usual.</param>
    public async Task<Socket> ConnectAsync(IPAddress from, int receives = 0)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receives > 0)
            socket.ReceiveBufferSize = receives;
        if (Through is null)
            socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(Through ?? Door, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>From now on <see cref="Peak"/> begins anew.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{Box.ProcessId}/clear_refs", "5");

    /// <summary>All messages and blobs that the box keeps are whole.</summary>
    public async Task VerifyAsync()
    {
        var (exitCode, output, errors) = await Box.TryCommandAsync("verify");
        Assert.True(exitCode == 0, $"pipub verify is not clean:\n{output}\n{errors}");
    }

    public async ValueTask DisposeAsync()
    {
        await Box.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private static async Task LayOutAsync()
    {
        var (code, _, errors) = await ChildProcess.RunAsync("ip", ["route", "replace", "local", "10.66.0.0/16", "dev", "lo"], TestContext.Current.CancellationToken);
        Assert.True(code == 0, "Addresses could not be laid out: " + errors);
    }
}
