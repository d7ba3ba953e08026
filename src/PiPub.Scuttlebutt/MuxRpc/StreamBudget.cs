namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// Streams that all connections together may hold open beyond a few for each: one legacy client opens thousands and may, but
/// not everybody at once.
/// </summary>
/// <param name="streams">How many there are to share; each costs about 1 KiB.</param>
public sealed class StreamBudget(int streams)
{
    /// <summary>Streams of each connection that do not count.</summary>
    public const int FreeForEach = 256;

    private int _left = streams;

    internal bool TryTake()
    {
        if (Interlocked.Decrement(ref _left) >= 0)
        {
            return true;
        }

        Return();
        return false;
    }

    internal void Return() => _ = Interlocked.Increment(ref _left);
}
