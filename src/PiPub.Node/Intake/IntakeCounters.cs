namespace PiPub.Node.Intake;

/// <summary>How many messages have met which verdict since the start.</summary>
public sealed class IntakeCounters
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    private readonly long[] _counts = new long[(int)IntakeVerdict.Outdated + 1];
    private long _lastLine;
    private int _unlogged;

    /// <summary>The number of messages with a verdict.</summary>
    public long this[IntakeVerdict verdict] => Volatile.Read(ref _counts[(int)verdict]);

    /// <summary>The number of messages judged.</summary>
    public long Total
    {
        get
        {
            var total = 0L;
            for (var i = 0; i < _counts.Length; i++)
            {
                total += Volatile.Read(ref _counts[i]);
            }

            return total;
        }
    }

    internal void Count(IntakeVerdict verdict) => Interlocked.Increment(ref _counts[(int)verdict]);

    /// <summary>True at most once in ten seconds: what strangers send must not fill the log of the machine.</summary>
    internal bool MayLogInvalid(TimeProvider time, out int unlogged)
    {
        unlogged = _unlogged;
        if (_lastLine != 0 && time.GetElapsedTime(_lastLine) < BetweenLines)
        {
            _unlogged++;
            return false;
        }

        _lastLine = time.GetTimestamp();
        _unlogged = 0;
        return true;
    }
}
