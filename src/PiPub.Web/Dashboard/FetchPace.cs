namespace PiPub.Web.Dashboard;

/// <summary>
/// Estimates how long it takes until the messages that peers have told of are here: from what has come in the last minutes, and
/// only when that is enough to judge by.
/// </summary>
public sealed class FetchPace(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Queue<(long At, long Messages)> _readings = new();

    /// <summary>Takes a reading.</summary>
    /// <param name="messages">How many messages are here.</param>
    /// <param name="behind">How many are still to come.</param>
    /// <returns>How long the rest takes at the present pace; null when nothing is to come, or nobody could tell.</returns>
    public TimeSpan? Read(long messages, long behind)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            while (_readings.TryPeek(out var oldest) && (time.GetElapsedTime(oldest.At, now) > Window || oldest.Messages > messages))
            {
                _ = _readings.Dequeue();
            }

            _readings.Enqueue((now, messages));
            var (since, before) = _readings.Peek();
            var elapsed = time.GetElapsedTime(since, now);
            var came = messages - before;
            return behind <= 0 || came <= 0 || elapsed < Least ? null : elapsed * Math.Min((double)behind / came, TimeSpan.FromDays(365) / elapsed);
        }
    }
}
