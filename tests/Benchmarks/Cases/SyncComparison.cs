using System.Globalization;
using PiPub.Benchmarks.Parts;

namespace PiPub.Benchmarks.Cases;

/// <summary>First syncs of the whole corpus, PiPub beside ssb-db2, in turns so that both see the same machine.</summary>
internal static class SyncComparison
{
    /// <summary>Where the PiPub that sends keeps its data, below the work directory; it holds the corpus afterwards.</summary>
    public const string SenderDirectory = "sender";

    private const double Megabyte = 1_000_000;

    /// <param name="workDirectory">Where the boxes keep their data.</param>
    /// <param name="corpus">The messages.</param>
    /// <param name="repeat">How often each is measured.</param>
    /// <param name="results">Takes the rows.</param>
    public static async Task RunAsync(string workDirectory, Corpus corpus, int repeat, Results results)
    {
        var (syncs, sender) = (new Syncs(corpus, workDirectory), FreshSender(workDirectory));
        var verification = Ingest.BareVerification(corpus.Messages);
        var bare = new List<double>();
        List<SyncRun> classic = [], javaScript = [], mixed = [], pipub = [];
        for (var i = 0; i < repeat; i++)
        {
            javaScript.Add(Report("ssb-db2 to ssb-db2", await syncs.JavaScriptToJavaScriptAsync()));
            mixed.Add(Report("ssb-db2 to PiPub", await syncs.JavaScriptToPiPubAsync(keepIn: i == 0 ? sender : null)));
            pipub.Add(Report("PiPub to PiPub", await syncs.PiPubToPiPubAsync(sender)));
            bare.Add(verification());
        }

        bare.Sort();
        var alone = bare[repeat / 2];
        classic.Add(Report("ssb-server to ssb-server", await syncs.ClassicToClassicAsync()));
        var (old, theirs, ours, between) = (SyncRun.Median(classic), SyncRun.Median(javaScript), SyncRun.Median(pipub), SyncRun.Median(mixed));
        var kept = SizeOf(Path.Combine(sender, "log"));
        results.Add(new($"PiPub to PiPub, EBT of {corpus.Messages:N0} messages of {corpus.Authors.Length} feeds", Speed(ours, corpus),
            $"ssb-db2 to ssb-db2: {Speed(theirs, corpus)}", Times(theirs.Seconds / ours.Seconds), "at least 3 times faster", theirs.Seconds / ours.Seconds >= 3));
        results.Add(new("the next aim for the same", "", "", Times(theirs.Seconds / ours.Seconds), "at least 4 times faster", theirs.Seconds / ours.Seconds >= 4));
        results.Add(new("the same", Speed(ours, corpus),
            $"ssb-server to ssb-server: {Speed(old, corpus)}", Times(old.Seconds / ours.Seconds), "", null));
        results.Add(new("the receiver's time", $"{Fixed(ours.Seconds)} s", $"verifying alone, all cores: {Fixed(alone)} s",
            Times(ours.Seconds / alone), "at most 1.5 times", ours.Seconds <= 1.5 * alone));
        results.Add(new("ssb-db2 to PiPub", Speed(between, corpus),
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
        results.Note($"Syncs are the median of {repeat} (ssb-server's: one), memory and disk writes the highest of all. ssb-db2 wrote {Megabytes(theirs.WrittenBytes)} in its sync.");
        results.Note("Time runs from the call that connects to the last message's arrival. ssb-db2 counts a message as arrived before it is on disk; PiPub only afterwards.");
    }

    /// <summary>A sync several times as large: whether it costs several times as much, and whether a small machine can do it.</summary>
    /// <param name="workDirectory">Where the boxes keep their data.</param>
    /// <param name="smallSender">The data directory of a PiPub that holds the small corpus.</param>
    /// <param name="small">As many messages as usual.</param>
    /// <param name="large">Several times as many.</param>
    /// <param name="repeat">How often each is measured.</param>
    /// <param name="results">Takes the rows.</param>
    public static async Task RunLargeAsync(string workDirectory, string smallSender, Corpus small, Corpus large, int repeat, Results results)
    {
        var syncs = new Syncs(large, workDirectory);
        var sender = FreshSender(workDirectory);
        var mixed = Report("ssb-db2 to PiPub", await syncs.JavaScriptToPiPubAsync(keepIn: sender));
        List<SyncRun> few = [], many = [];
        for (var i = 0; i < repeat; i++)
        {
            few.Add(Report($"PiPub to PiPub, {small.Messages:N0}", await new Syncs(small, workDirectory).PiPubToPiPubAsync(smallSender)));
            many.Add(Report("PiPub to PiPub", await syncs.PiPubToPiPubAsync(sender)));
        }

        var (reference, ours, peak) = (SyncRun.Median(few), SyncRun.Median(many), many.Append(mixed).Max(static run => run.PeakBytes));
        var times = (double)large.Messages / small.Messages;
        results.Add(new($"PiPub to PiPub, {large.Messages:N0} messages", Speed(ours, large), $"{times:0} times {small.Messages:N0}: {Fixed(times * reference.Seconds)} s",
            Times(ours.Seconds / (times * reference.Seconds)), "within 10 %", ours.Seconds <= 1.1 * times * reference.Seconds));
        results.Add(new($"peak memory of the receiver of {large.Messages:N0} messages", Megabytes(peak), "", "", "at most 130 MB", peak <= 130 * Megabyte));
        using var limit = new MemoryLimit(256 * 1024 * 1024);
        var limited = Report("PiPub to PiPub within 256 MiB", await syncs.PiPubToPiPubAsync(sender, limit));
        results.Add(new("the same in a control group of 256 MiB", Speed(limited, large), $"without: {Speed(ours, large)}", Times(limited.Seconds / ours.Seconds), "finishes", true));
    }

    private static string FreshSender(string workDirectory)
    {
        var sender = Path.Combine(workDirectory, SenderDirectory);
        if (Directory.Exists(sender))
            Directory.Delete(sender, recursive: true);
        return Directory.CreateDirectory(sender).FullName;
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
