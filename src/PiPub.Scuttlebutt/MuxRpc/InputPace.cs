namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// How much of something a peer may send: a store that fills by the second. Whoever has used it up is read more slowly, and by that
/// alone held back: nothing that it says is lost. For one reader at a time.
/// </summary>
/// <param name="burst">What may come at once.</param>
/// <param name="perSecond">What comes on top of it every second.</param>
/// <param name="time">The clock.</param>
public sealed class InputPace(int burst, int perSecond, TimeProvider time)
{
    private double _left = burst;
    private long _filled = time.GetTimestamp();

    /// <summary>Takes from the store; completes at once unless more was taken than there was, and otherwise when it has filled up to nothing.</summary>
    public ValueTask TakeAsync(int amount, CancellationToken cancellationToken)
    {
        var now = time.GetTimestamp();
        _left = Math.Min(burst, _left + (time.GetElapsedTime(_filled, now).TotalSeconds * perSecond)) - amount;
        _filled = now;
        return _left >= 0 ? default : new ValueTask(Task.Delay(TimeSpan.FromSeconds(-_left / perSecond), time, cancellationToken));
    }
}
