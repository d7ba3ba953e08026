using System.Text.Json;

namespace PiPub.NetworkTests.Lab;

/// <summary>Counts packets on a host by an nftables rule.</summary>
internal sealed class PacketCounter
{
    /// <summary>The first packet of a TCP connection.</summary>
    public const string Dials = "tcp flags & (syn | ack) == syn";

    private static int made;

    private readonly LabHost _host;
    private readonly string _table;

    private PacketCounter(LabHost host, string table) => (_host, _table) = (host, table);

    /// <summary>Counts what comes in.</summary>
    /// <param name="host">Where.</param>
    /// <param name="match">In nftables' words, such as "ip daddr 192.168.7.2 tcp dport 8008"; see <see cref="Dials"/>.</param>
    public static Task<PacketCounter> IncomingAsync(LabHost host, string match) => StartAsync(host, "input", match);

    /// <summary>Counts what goes out, to the host itself, too.</summary>
    public static Task<PacketCounter> OutgoingAsync(LabHost host, string match) => StartAsync(host, "output", match);

    /// <summary>Refuses TCP connections to a port, as when nobody listens; dispose to let them in again.</summary>
    public static async Task<IAsyncDisposable> RefuseAsync(LabHost host, int port)
    {
        var table = NewTable();
        await host.FeedAsync($$"""
            table inet {{table}} {
                chain refusing {
                    type filter hook input priority 0; policy accept;
                    tcp dport {{port}} reject with tcp reset
                }
            }

            """, "nft", "-f", "-");
        return new Refusal(host, table);
    }

    /// <summary>How many so far.</summary>
    public async Task<long> ReadAsync()
    {
        using var document = JsonDocument.Parse(await _host.RunAsync("nft", "-j", "list", "counter", "inet", _table, "seen"));
        return document.RootElement.GetProperty("nftables").EnumerateArray()
            .Where(static one => one.TryGetProperty("counter", out _))
            .Sum(static one => one.GetProperty("counter").GetProperty("packets").GetInt64());
    }

    private static async Task<PacketCounter> StartAsync(LabHost host, string hook, string match)
    {
        var table = NewTable();
        await host.FeedAsync($$"""
            table inet {{table}} {
                counter seen {
                }
                chain counting {
                    type filter hook {{hook}} priority -10; policy accept;
                    {{match}} counter name "seen"
                }
            }

            """, "nft", "-f", "-");
        return new PacketCounter(host, table);
    }

    private static string NewTable() => $"test{Interlocked.Increment(ref made)}";

    private sealed class Refusal(LabHost host, string table) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await host.RunAsync("nft", "delete", "table", "inet", table);
    }
}
