using System.Diagnostics;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>What two boxes that both have ten thousand feeds have to say to each other when they meet for the first time, and when they meet again.</summary>
internal static class ReconnectCase
{
    private const int Feeds = 10_000;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(string workDirectory, Results results)
    {
        var (one, other) = (Path.Combine(workDirectory, "reconnect-1"), Path.Combine(workDirectory, "reconnect-2"));
        _ = await PreparedBox.MakeAsync(one, Corpus.TestNetworkKey, Feeds, 1);
        _ = await PreparedBox.MakeAsync(other, Corpus.TestNetworkKey, Feeds, 1);
        await using var sender = await PiPubProcess.StartAsync(one, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using var receiver = await PiPubProcess.StartAsync(other, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using var owner = await Owner.ConnectAsync(receiver.Directory);
        await using var relay = new CountingRelay(sender.Address);
        var first = await MeetAsync(relay, owner);
        var again = await MeetAsync(relay, owner);
        results.Add(new($"two boxes with the same {Feeds:N0} feeds meet again", $"{again.Bytes / 1000.0:0.0} kB in {again.Milliseconds:0} ms",
            $"the first time: {first.Bytes / 1000.0:0.0} kB in {first.Milliseconds:0} ms", $"{(double)again.Bytes / first.Bytes:0.000}", "at most 0.05", again.Bytes <= 0.05 * first.Bytes));
    }

    /// <summary>Connects them, until nothing has been said for a while; the time ends with the last word.</summary>
    private static async Task<(long Bytes, double Milliseconds)> MeetAsync(CountingRelay relay, Owner owner)
    {
        var before = relay.BytesToTarget + relay.BytesFromTarget;
        var clock = Stopwatch.StartNew();
        await owner.CallAsync("conn.connect", $"[\"{relay.Address}\"]");
        var (bytes, last) = (before, clock.Elapsed);
        while (clock.Elapsed - last < Quiet)
        {
            await Task.Delay(5);
            var now = relay.BytesToTarget + relay.BytesFromTarget;
            (bytes, last) = now != bytes ? (now, clock.Elapsed) : (bytes, last);
        }

        await owner.CallAsync("conn.disconnect", $"[\"{relay.Address}\"]");
        // What is said in parting belongs to neither.
        await Task.Delay(TimeSpan.FromMilliseconds(200));
        return (bytes - before, last.TotalMilliseconds);
    }
}
