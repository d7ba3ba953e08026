using PiPub.Scuttlebutt.Feeds;

namespace PiPub.Storage;

/// <summary>
/// Where the messages of one feed lie in the log: 8 bytes a message, one writer, readers without a lock.
/// </summary>
internal sealed class FeedPositions
{
    private long[] _positions = [];
    private int _count;
    private volatile Newest? _newest;

    /// <summary>How many messages are held: the newest sequence.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The newest message as readers see it; null when its id has yet to be read from the log.</summary>
    public FeedTip? Tip => _newest?.Tip;

    /// <summary>The position of a sequence, or -1.</summary>
    public long this[int sequence]
    {
        get
        {
            // The count is read first: an array published before it holds at least as many.
            var count = Count;
            return (uint)(sequence - 1) < (uint)count ? Volatile.Read(ref _positions)[sequence - 1] : -1;
        }
    }

    /// <summary>Adds the next message's position. Unseen by <see cref="Tip"/> until <see cref="Publish"/>.</summary>
    public void Add(long position)
    {
        if (_count == _positions.Length)
        {
            var grown = new long[_count + Math.Max(4, _count / 2)];
            _positions.AsSpan(0, _count).CopyTo(grown);
            Volatile.Write(ref _positions, grown);
        }

        _positions[_count] = position;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Makes a message the tip: the writer's call.</summary>
    public void Publish(FeedTip tip) => _newest = new Newest(tip);

    /// <summary>Remembers a tip that was read from the log, unless the writer has moved it since.</summary>
    public void Remember(FeedTip tip) => Interlocked.CompareExchange(ref _newest, new Newest(tip), null);

    private sealed class Newest(FeedTip tip)
    {
        public FeedTip Tip { get; } = tip;
    }
}
