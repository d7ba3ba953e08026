using System.Globalization;

namespace PiPub.Benchmarks;

/// <summary>First syncs of the whole corpus, PiPub beside ssb-db2, in turns so that both see the same machine.</summary>
internal static class SyncComparison
{
    /// <summary>Where the PiPub that sends keeps its data, below the work directory; it holds the corpus afterwards.</summary>
    public const string SenderDirectory = "sender";

    private const double Megabyte = 1_000_000;

    public static async Task RunAsync(Syncs syncs, string workDirectory, Corpus corpus, int repeat, bool javaScriptOnly, Results results)
    {
        var sender = Path.Combine(workDirectory, SenderDirectory);
        if (Directory.Exists(sender))
            Directory.Delete(sender, recursive: true);
        Directory.CreateDirectory(sender);

        List<SyncRun> javaScript = [], mixed = [], pipub = [];
        for (var i = 0; i < repeat; i++)
        {
            javaScript.Add(Report("ssb-db2 to ssb-db2", await syncs.JavaScriptToJavaScriptAsync()));
            if (javaScriptOnly)
                continue;
            mixed.Add(Report("ssb-db2 to PiPub", await syncs.JavaScriptToPiPubAsync(keepIn: i == 0 ? sender : null)));
            pipub.Add(Report("PiPub to PiPub", await syncs.PiPubToPiPubAsync(sender)));
        }

        var theirs = SyncRun.Median(javaScript);
        if (javaScriptOnly)
        {
            results.Add(new($"ssb-db2 to ssb-db2, {corpus.Messages:N0} messages", "", Speed(theirs, corpus), "", "", null));
            return;
        }

        var ours = SyncRun.Median(pipub);
        var between = SyncRun.Median(mixed);
        var kept = SizeOf(Path.Combine(sender, "log"));
        results.Add(new($"PiPub to PiPub, EBT of {corpus.Messages:N0} messages of {corpus.Authors.Length} feeds", Speed(ours, corpus),
            $"ssb-db2 to ssb-db2: {Speed(theirs, corpus)}", Times(theirs.Seconds / ours.Seconds), "at least 3 times faster", theirs.Seconds / ours.Seconds >= 3));
        results.Add(new("ssb-db2 to PiPub, the same", Speed(between, corpus),
            $"ssb-db2 to ssb-db2: {Speed(theirs, corpus)}", Times(theirs.Seconds / between.Seconds), "no slower", theirs.Seconds >= between.Seconds));
        var peak = pipub.Concat(mixed).Max(run => run.PeakBytes);
        var theirPeak = javaScript.Max(run => run.PeakBytes);
        results.Add(new("peak memory of the receiver", Megabytes(peak), $"ssb-db2: {Megabytes(theirPeak)}",
            Times((double)peak / theirPeak), "at most 130 MB", peak <= 130 * Megabyte));
        var written = pipub.Concat(mixed).Max(run => run.WrittenBytes);
        results.Add(new("bytes written to disk per byte kept, during the sync", Megabytes(written), $"the log: {Megabytes(kept)}",
            Fixed((double)written / kept), "at most 1.5", (double)written / kept <= 1.5));
        results.Add(new("bytes written to disk per byte received", Megabytes(written), $"over the wire: {Megabytes(ours.WireBytes)}",
            Fixed((double)written / ours.WireBytes), "", null));
        results.Note($"Syncs are the median of {repeat}, memory and disk writes the highest of all. ssb-db2 wrote {Megabytes(theirs.WrittenBytes)} in its sync.");
        results.Note("Time runs from the call that connects to the last message's arrival. ssb-db2 counts a message as arrived before it is on disk; PiPub only afterwards.");
    }

    private static SyncRun Report(string what, SyncRun run)
    {
        Console.WriteLine($"  {what}: {Fixed(run.Seconds)} s, peak {Megabytes(run.PeakBytes)}, written {Megabytes(run.WrittenBytes)}, received {Megabytes(run.WireBytes)}");
        return run;
    }

    private static long SizeOf(string directory) => new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private static string Speed(SyncRun run, Corpus corpus) => $"{Fixed(run.Seconds)} s ({corpus.Messages / run.Seconds:N0}/s)";

    private static string Times(double ratio) => Fixed(ratio) + " x";

    private static string Megabytes(long bytes) => (bytes / Megabyte).ToString("0.0", CultureInfo.InvariantCulture) + " MB";

    private static string Fixed(double number) => number.ToString("0.00", CultureInfo.InvariantCulture);
}
