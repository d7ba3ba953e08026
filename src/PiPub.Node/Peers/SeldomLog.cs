namespace PiPub.Node.Peers;

/// <summary>
/// Lets one log line a minute through for each kind of event, with the number of those held back: strangers must not be able
/// to fill the card with log lines.
/// </summary>
internal sealed class SeldomLog(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long _last;
    private int _heldBack;

    /// <summary>True when a line may be written; <paramref name="heldBack"/> were not since the last.</summary>
    public bool MayWrite(out int heldBack)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            if (_last != 0 && time.GetElapsedTime(_last, now) < Pause)
            {
                _heldBack++;
                heldBack = 0;
                return false;
            }

            (_last, heldBack, _heldBack) = (now == 0 ? 1 : now, _heldBack, 0);
            return true;
        }
    }
}
