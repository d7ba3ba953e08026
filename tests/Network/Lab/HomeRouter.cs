using System.Globalization;
using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>Which ways a router can be asked to pass connections on.</summary>
[Flags]
internal enum GatewayProtocols
{
    None = 0,
    Pcp = 1,
    NatPmp = 2,
    Upnp = 4,
    All = Pcp | NatPmp | Upnp,
}

/// <summary>
/// A home router: it forwards, puts its outer address in place of the inner ones (nftables masquerade), lets nothing in
/// that was not asked for, and runs miniupnpd if the test says so.
/// </summary>
/// <remarks>
/// miniupnpd refuses outer addresses that the internet does not route, those for documentation included; a test takes one of
/// 1.2.3.0/24, and nothing of it leaves the lab.
/// </remarks>
internal sealed class HomeRouter
{
    public const string Inside = "lan";
    public const string Outside = "wan";

    private const string Rules = """
        table inet filter {
            chain forward {
                type filter hook forward priority 0; policy drop;
                ct state established,related accept
                iifname "lan" accept
                jump miniupnpd
            }
            chain miniupnpd {
            }
            chain prerouting {
                type nat hook prerouting priority -100; policy accept;
                jump prerouting_miniupnpd
            }
            chain postrouting {
                type nat hook postrouting priority 100; policy accept;
                jump postrouting_miniupnpd
                oifname "wan" masquerade
            }
            chain prerouting_miniupnpd {
            }
            chain postrouting_miniupnpd {
            }
            chain asked {
                type filter hook input priority 0; policy accept;
            }
        }

        """;

    private readonly NetworkLab _lab;
    private ChildProcess? _miniUpnpd;

    private HomeRouter(NetworkLab lab, LabHost host) => (_lab, Host) = (lab, host);

    public LabHost Host { get; }

    internal static async Task<HomeRouter> CreateAsync(NetworkLab lab, LabHost host)
    {
        await host.SetAsync("net/ipv4/ip_forward", "1");
        await host.SetAsync("net/ipv6/conf/all/forwarding", "1");
        await host.FeedAsync(Rules, "nft", "-f", "-");
        return new HomeRouter(lab, host);
    }

    /// <summary>Adds rules in nftables' own words, for example a counter.</summary>
    public Task AddRulesAsync(string rules) => Host.FeedAsync(rules, "nft", "-f", "-");

    /// <summary>The rules and counters as they stand.</summary>
    public Task<string> RulesAsync() => Host.RunAsync("nft", "list", "ruleset");

    /// <summary>Starts miniupnpd.</summary>
    /// <param name="protocols">What it is to answer. miniupnpd has one switch for PCP and NAT-PMP: one of them alone is had by dropping the other's packets.</param>
    /// <param name="extraConfiguration">Further lines of miniupnpd.conf.</param>
    public async Task StartMiniUpnpdAsync(GatewayProtocols protocols = GatewayProtocols.All, params string[] extraConfiguration)
    {
        await OnlyAsync(protocols);
        var port5351 = protocols & (GatewayProtocols.Pcp | GatewayProtocols.NatPmp);
        var directory = _lab.NewDirectory("miniupnpd");
        var configuration = Path.Combine(directory, "miniupnpd.conf");
        await File.WriteAllLinesAsync(configuration,
        [
            $"ext_ifname={Outside}",
            $"listening_ip={Inside}",
            $"enable_natpmp={(port5351 != GatewayProtocols.None ? "yes" : "no")}",
            $"enable_upnp={(protocols.HasFlag(GatewayProtocols.Upnp) ? "yes" : "no")}",
            "secure_mode=yes",
            "min_lifetime=30",
            "max_lifetime=86400",
            "notify_interval=30",
            "uuid=7d7a3bd0-6c4c-4b6c-9c35-2f5d0a6f7b11",
            "allow 1-65535 0.0.0.0/0 1-65535",
            .. extraConfiguration,
        ]);
        var running = _miniUpnpd = Host.Start(null, "miniupnpd", "-d", "-f", configuration, "-P", Path.Combine(directory, "pid"));
        await Eventually.BecomesTrueAsync(
            () => running.HasExited
                ? throw new InvalidOperationException($"miniupnpd ended:\n{running.Complaints}")
                : Task.FromResult(running.Complaints.Contains("istening ", StringComparison.Ordinal)),
            "miniupnpd listens");
    }

    /// <summary>Drops the questions in other protocols: from now on the router seems not to speak them.</summary>
    public async Task OnlyAsync(GatewayProtocols protocols)
    {
        await AddRulesAsync("flush chain inet filter asked\n");

        // The first byte of the payload is the version: 0 NAT-PMP, 2 PCP.
        foreach (var (protocol, version) in ((GatewayProtocols, int)[])[(GatewayProtocols.NatPmp, 0), (GatewayProtocols.Pcp, 2)])
        {
            if (!protocols.HasFlag(protocol))
            {
                await AddRulesAsync(string.Create(CultureInfo.InvariantCulture, $"add rule inet filter asked udp dport 5351 @th,64,8 {version} drop\n"));
            }
        }

        if (!protocols.HasFlag(GatewayProtocols.Upnp))
        {
            await AddRulesAsync("add rule inet filter asked udp dport 1900 drop\n");
        }
    }

    /// <summary>Takes out of nftables what miniupnpd wrote there and left behind: a real router's rules go with its power.</summary>
    public Task ForgetAsync() => AddRulesAsync(
        "flush chain inet filter miniupnpd\nflush chain inet filter prerouting_miniupnpd\nflush chain inet filter postrouting_miniupnpd\n");

    /// <summary>Stops miniupnpd as when the router goes down: it forgets what it was asked.</summary>
    public async Task StopMiniUpnpdAsync()
    {
        if (_miniUpnpd is { } running)
        {
            _miniUpnpd = null;
            await running.TerminateAsync(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>The ports that are passed on now, as miniupnpd wrote them into nftables: "tcp dport 8008 dnat to ...".</summary>
    public async Task<string[]> MappingsAsync() =>
        [.. (await Host.RunAsync("nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd")).Split('\n').Select(line => line.Trim()).Where(line => line.Contains("dnat"))];
}
