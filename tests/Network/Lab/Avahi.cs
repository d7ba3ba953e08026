using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>
/// avahi-daemon on a host of the lab, with a D-Bus of its own and its own <c>/run/avahi-daemon</c>; programs that are
/// started on the host afterwards find it.
/// </summary>
internal sealed class Avahi
{
    private const string BusConfiguration = """
        <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
        <busconfig>
          <type>system</type>
          <listen>BUS</listen>
          <policy context="default">
            <allow send_destination="*" eavesdrop="true"/>
            <allow eavesdrop="true"/>
            <allow own="*"/>
          </policy>
        </busconfig>
        """;

    private readonly LabHost _host;
    private readonly string _configuration;
    private ChildProcess _daemon = null!;

    private Avahi(LabHost host, string configuration) => (_host, _configuration) = (host, configuration);

    /// <summary>What it said last.</summary>
    public string Log => _daemon.Complaints;

    /// <summary>Starts the bus and the daemon.</summary>
    /// <param name="host">Where.</param>
    /// <param name="hostName">The machine's name, before <c>.local</c>.</param>
    public static async Task<Avahi> StartAsync(LabHost host, string hostName)
    {
        var directory = host.Lab.NewDirectory("avahi");
        var bus = $"unix:path={Path.Combine(directory, "bus")}";
        var busConfiguration = Path.Combine(directory, "bus.conf");
        await File.WriteAllTextAsync(busConfiguration, BusConfiguration.Replace("BUS", bus, StringComparison.Ordinal));
        host.Start(null, "dbus-daemon", $"--config-file={busConfiguration}", "--nofork", "--nopidfile");
        await Eventually.BecomesTrueAsync(() => Task.FromResult(File.Exists(Path.Combine(directory, "bus"))), "the D-Bus listens");
        host.SystemBus = bus;

        var configuration = Path.Combine(directory, "avahi-daemon.conf");
        await File.WriteAllLinesAsync(configuration,
        [
            "[server]",
            $"host-name={hostName}",
            "use-ipv4=yes",
            "use-ipv6=yes",
            "ratelimit-interval-usec=1000000",
            "ratelimit-burst=1000",
            "[publish]",
            "publish-workstation=no",
            "publish-hinfo=no",
        ]);
        var avahi = new Avahi(host, configuration);
        await avahi.StartAsync();
        return avahi;
    }

    /// <summary>Starts the daemon again, after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        var daemon = _daemon = _host.Start(
            null,
            "sh", "-c", "mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --file=\"$0\"", _configuration);
        await Eventually.BecomesTrueAsync(
            () => daemon.HasExited
                ? throw new InvalidOperationException($"avahi-daemon ended:\n{daemon.Complaints}")
                : Task.FromResult(daemon.Complaints.Contains("Server startup complete", StringComparison.Ordinal)),
            "avahi-daemon has started");
    }

    /// <summary>Has the daemon hang: it is there, and answers nothing (SIGSTOP).</summary>
    public Task HangAsync() => _host.RunAsync("kill", "-STOP", $"{_daemon.Id}");

    /// <summary>Stops the daemon; the bus stays.</summary>
    public Task StopAsync() => _daemon.TerminateAsync(TestContext.Current.CancellationToken);
}
