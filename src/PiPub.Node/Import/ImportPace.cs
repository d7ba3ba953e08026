namespace PiPub.Node.Import;

/// <summary>
/// Tells how long something takes still, by how fast it went in the last half minute; nothing in the first seconds, when
/// nobody can tell.
/// </summary>
internal sealed class ImportPace(TimeProvider time)
{
    private const int MaxSamples = 30;
    private static readonly TimeSpan BetweenSamples = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LearnsFor = TimeSpan.FromSeconds(4);

    private readonly Queue<(long At, long Done)> _samples = new();
    private long _lastAt = time.GetTimestamp();

    /// <summary>How long, or null while that cannot be told.</summary>
    public TimeSpan? Remaining(long done, long total)
    {
        var now = time.GetTimestamp();
        if (_samples.Count == 0 || time.GetElapsedTime(_lastAt, now) >= BetweenSamples)
        {
            _samples.Enqueue((now, done));
            _lastAt = now;
            if (_samples.Count > MaxSamples)
            {
                _ = _samples.Dequeue();
            }
        }

        var (from, before) = _samples.Peek();
        var took = time.GetElapsedTime(from, now);
        return took >= LearnsFor && done > before ? took * ((double)(total - done) / (done - before)) : null;
    }
}
