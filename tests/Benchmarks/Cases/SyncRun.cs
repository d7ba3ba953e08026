namespace PiPub.Benchmarks.Cases;

/// <summary>What one first sync cost its receiver.</summary>
/// <param name="Seconds">From the call that connects to the arrival of the last message.</param>
/// <param name="PeakBytes">The receiver's peak of resident memory.</param>
/// <param name="WrittenBytes">What the receiver caused to be written to disk, until it had come to rest.</param>
/// <param name="WireBytes">What came over the wire.</param>
internal sealed record SyncRun(double Seconds, long PeakBytes, long WrittenBytes, long WireBytes)
{
    /// <summary>The run in the middle of several, by time.</summary>
    public static SyncRun Median(IEnumerable<SyncRun> runs)
    {
        var sorted = runs.OrderBy(run => run.Seconds).ToList();
        return sorted[sorted.Count / 2];
    }
}
