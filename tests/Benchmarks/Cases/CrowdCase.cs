using System.Globalization;
using System.Text;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>How much memory a pub needs that holds the corpus and has two hundred clients connected.</summary>
internal static class CrowdCase
{
    private const int Clients = 200;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    public static async Task RunAsync(string senderDirectory, Corpus corpus, Results results)
    {
        var notes = Notes(corpus);
        long ours, theirs;
        await using (var pub = await PiPubProcess.StartAsync(senderDirectory, corpus.NetworkKey, PreparedBox.Settings))
            ours = await MeasureAsync(pub.ProcessId, pub.Address, corpus, notes);
        await using (var peer = await JsPeer.StartAsync(Stack.Modern, corpus.Directory, corpus.NetworkKey))
            theirs = await MeasureAsync(peer.ProcessId, peer.Address, corpus, notes);

        results.Add(new($"memory with {Clients} clients connected", Megabytes(ours), $"ssb-db2: {Megabytes(theirs)}",
            ((double)ours / theirs).ToString("0.00", CultureInfo.InvariantCulture) + " x", "at most 110 MB", ours <= 110_000_000));
    }

    private static async Task<long> MeasureAsync(int processId, string address, Corpus corpus, string notes)
    {
        await using var crowd = new Crowd();
        await crowd.ConnectAsync(Clients, address, corpus.NetworkKey, notes);
        await Task.Delay(Settling);
        if (crowd.Answered != Clients)
            throw new InvalidOperationException($"Of {Clients} clients only {crowd.Answered} were sent notes.");
        return ProcessMeter.ResidentBytes(processId);
    }

    /// <summary>Every client has all of every feed, and wants to hear what follows.</summary>
    private static string Notes(Corpus corpus)
    {
        var text = new StringBuilder("{");
        var each = corpus.Messages / corpus.Authors.Length;
        foreach (var author in corpus.Authors)
            text.Append(text.Length > 1 ? "," : "").Append($"\"{author}\":{each << 1}");
        return text.Append('}').ToString();
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB";
}
