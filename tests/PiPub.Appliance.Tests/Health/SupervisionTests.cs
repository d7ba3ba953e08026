using System.Collections;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Health;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Health;

/// <summary>What systemd hears, on a socket such as its own.</summary>
public sealed class SupervisionTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-").FullName;
    private readonly Socket _manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 20_000 };
    private readonly ManualTime _time = new();
    private string? _problem;

    public void Dispose()
    {
        _manager.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_life_is_told_from_start_to_stop(bool isAbstract)
    {
        using var supervision = Begin(isAbstract, "30000000");
        supervision.Busy("Starting.", Patience);
        Assert.Equal("STATUS=Starting.\nEXTEND_TIMEOUT_USEC=600000000\nWATCHDOG=1", Hear());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("WATCHDOG=1", Hear());
        supervision.Ready("Running.", _ => Task.FromResult(_problem), NullLogger.Instance);
        Assert.Equal("STATUS=Running.\nREADY=1\nWATCHDOG=1", Hear());
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("WATCHDOG=1", Hear());
        supervision.Stopping(Patience);
        Assert.Equal("STATUS=Stopping.\nEXTEND_TIMEOUT_USEC=600000000\nWATCHDOG=1", Hear());
        Assert.Equal("STOPPING=1", Hear());
        Assert.Equal(0, _manager.Available);
    }

    [Fact]
    public void A_box_that_is_not_well_is_silent_until_it_is_well_again()
    {
        using var supervision = Begin(isAbstract: false, "30000000");
        supervision.Ready("Running.", _ => Task.FromResult(_problem), NullLogger.Instance);
        Assert.Contains("READY=1", Hear(), StringComparison.Ordinal);
        _problem = "The disk\nis broken.";
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("STATUS=Not well: The disk is broken.", Hear());
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(0, _manager.Available);
        _problem = null;
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("STATUS=Running.\nWATCHDOG=1", Hear());
    }

    [Fact]
    public void A_check_that_hangs_feeds_nobody()
    {
        using var supervision = Begin(isAbstract: false, "30000000");
        var never = new TaskCompletionSource<string?>();
        var asked = 0;
        supervision.Ready(
            "Running.",
            _ =>
            {
                asked++;
                return never.Task;
            },
            NullLogger.Instance);
        Assert.Contains("READY=1", Hear(), StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, asked);
        Assert.Equal(0, _manager.Available);
        // Another life is not held up by it.
        supervision.Busy("Restarting.", Patience);
        Assert.StartsWith("STATUS=Restarting.\n", Hear(), StringComparison.Ordinal);
        never.SetResult(null);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("WATCHDOG=1", Hear());
    }

    [Fact]
    public void Work_that_takes_longer_than_promised_is_not_covered_for()
    {
        using var supervision = Begin(isAbstract: false, "30000000");
        supervision.Busy("Starting.", TimeSpan.FromSeconds(25));
        _ = Hear();
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(["WATCHDOG=1", "WATCHDOG=1"], [Hear(), Hear()]);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(0, _manager.Available);
    }

    [Fact]
    public void Without_systemd_nothing_runs()
    {
        using var supervision = Supervision.FromEnvironment(new Hashtable(), _time);
        supervision.Busy("Starting.", Patience);
        supervision.Ready("Running.", _ => throw new InvalidOperationException(), NullLogger.Instance);
        Assert.Equal(0, _time.Waiting);
        supervision.Stopping(Patience);
    }

    [Fact]
    public void A_watchdog_of_another_process_is_none_of_ours()
    {
        using var supervision = Begin(isAbstract: false, "30000000", pid: "1");
        Assert.Equal(0, _time.Waiting);
    }

    private Supervision Begin(bool isAbstract, string watchdog, string? pid = null)
    {
        var name = isAbstract ? "@pipub-" + Guid.NewGuid() : Path.Combine(_directory, "notify");
        _manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name[1..] : name));
        var environment = new Hashtable { ["NOTIFY_SOCKET"] = name, ["WATCHDOG_USEC"] = watchdog };
        if (pid is not null)
        {
            environment["WATCHDOG_PID"] = pid;
        }

        return Supervision.FromEnvironment(environment, _time);
    }

    private string Hear()
    {
        var bytes = new byte[1024];
        return Encoding.UTF8.GetString(bytes, 0, _manager.Receive(bytes));
    }
}
