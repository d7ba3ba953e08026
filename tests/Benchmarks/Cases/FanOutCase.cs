using System.Diagnostics;
using System.Text;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>How soon the last of two hundred clients has a message that was published on a pub.</summary>
internal static class FanOutCase
{
    private const int Clients = 200;
    private const int Messages = 100;
    private const int ManyFeeds = 10_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task RunAsync(string directory, string workDirectory, Corpus corpus, Results results)
    {
        var each = corpus.Messages / corpus.Authors.Length;
        double[] ours, theirs, many;
        await using (var pub = await PiPubProcess.StartAsync(directory, corpus.NetworkKey, PreparedBox.Settings))
            ours = await PiPubAsync(pub, corpus.NetworkKey, corpus.Authors, each);
        await using (var peer = await JsPeer.StartAsync(Stack.Modern, corpus.Directory, corpus.NetworkKey))
            theirs = await MeasureAsync(peer.Address, corpus.NetworkKey, peer.Id, await peer.SequenceAsync(peer.Id), corpus.Authors, each, i => peer.PublishAsync($"news {i}"));
        Add(results, $"one message to {Clients} clients, until the last has it", ours, theirs);
        results.Note("The message is published at PiPub's local socket, and inside of the process of ssb-db2.");

        var crowded = Path.Combine(workDirectory, "crowded");
        var authors = await PreparedBox.MakeAsync(crowded, corpus.NetworkKey, ManyFeeds, 1);
        await using (var pub = await PiPubProcess.StartAsync(crowded, corpus.NetworkKey, PreparedBox.Settings))
            many = await PiPubAsync(pub, corpus.NetworkKey, authors, 1);
        Add(results, $"the same with {ManyFeeds:N0} feeds in every clock", many, null);
    }

    private static async Task<double[]> PiPubAsync(PiPubProcess pub, string networkKey, string[] authors, int each)
    {
        await using var owner = await Owner.ConnectAsync(pub.Directory);
        return await MeasureAsync(pub.Address, networkKey, pub.Id, await pub.SequenceAsync(pub.Id), authors, each,
            i => owner.CallAsync("publish", $$"""[{"type":"post","text":"news {{i}}"}]"""));
    }

    private static async Task<double[]> MeasureAsync(string address, string networkKey, string author, long sequence, string[] authors, int each, Func<int, Task> publish)
    {
        var notes = new StringBuilder($$"""{"{{author}}":{{sequence << 1}}""");
        foreach (var feed in authors)
            notes.Append($",\"{feed}\":{each << 1}");
        notes.Append('}');
        await using var crowd = new Crowd { Watched = author };
        await crowd.ConnectAsync(Clients, address, networkKey, notes.ToString());
        await Task.Delay(TimeSpan.FromSeconds(10));
        var times = new double[Messages];
        for (var i = 0; i < Messages; i++)
        {
            var all = crowd.WhenSeenByAll(Clients);
            var clock = Stopwatch.StartNew();
            await publish(i);
            await all.WaitAsync(Patience);
            times[i] = clock.Elapsed.TotalMilliseconds;
            await Task.Delay(50);
        }

        Array.Sort(times);
        return times;
    }

    private static void Add(Results results, string what, double[] ours, double[]? theirs)
    {
        results.Add(new($"{what}: median", $"{ours[Messages / 2]:0.0} ms", theirs is null ? "" : $"ssb-db2: {theirs[Messages / 2]:0.0} ms",
            theirs is null ? "" : $"{theirs[Messages / 2] / ours[Messages / 2]:0.0} x", "", null));
        results.Add(new($"{what}: 99th percentile", $"{ours[(Messages * 99 / 100) - 1]:0.0} ms", theirs is null ? "" : $"ssb-db2: {theirs[(Messages * 99 / 100) - 1]:0.0} ms",
            theirs is null ? "" : $"{theirs[(Messages * 99 / 100) - 1] / ours[(Messages * 99 / 100) - 1]:0.0} x", "", null));
    }
}
