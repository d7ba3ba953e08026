using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage;

/// <summary>
/// The message log together with the index that replication needs at hand: for every feed its tip, and for every
/// sequence its position. Whoever appends appends here, so that log and index never disagree.
/// </summary>
public sealed class MessageStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, Entry> _feeds = [];

    /// <summary>Indexes what <paramref name="log"/> holds.</summary>
    public MessageStore(IMessageLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        Log = log;
        foreach (var record in log.Scan(0))
        {
            Index(record);
        }
    }

    /// <summary>The log beneath.</summary>
    public IMessageLog Log { get; }

    /// <summary>The number of feeds of which something is held.</summary>
    public int FeedCount
    {
        get
        {
            lock (_gate)
            {
                return _feeds.Count;
            }
        }
    }

    /// <summary>The newest message of a feed; sequence 0 when nothing is held.</summary>
    public FeedTip Tip(FeedId feed)
    {
        lock (_gate)
        {
            return _feeds.TryGetValue(feed, out var entry) ? new FeedTip(entry.Positions.Count, entry.Tip) : default;
        }
    }

    /// <summary>The log position of a feed's message, or -1.</summary>
    public long PositionOf(FeedId feed, int sequence)
    {
        lock (_gate)
        {
            return sequence > 0 && _feeds.TryGetValue(feed, out var entry) && sequence <= entry.Positions.Count
                ? entry.Positions[sequence - 1]
                : -1;
        }
    }

    /// <summary>A snapshot of all feeds and their tips.</summary>
    public IReadOnlyList<KeyValuePair<FeedId, FeedTip>> Tips()
    {
        lock (_gate)
        {
            var tips = new List<KeyValuePair<FeedId, FeedTip>>(_feeds.Count);
            foreach (var (feed, entry) in _feeds)
            {
                tips.Add(new(feed, new FeedTip(entry.Positions.Count, entry.Tip)));
            }

            return tips;
        }
    }

    /// <summary>
    /// Appends messages that follow their feeds' tips (<see cref="FeedTip.Judge"/> said Next, in the order given) with one
    /// group commit, then moves the tips. Calls must not overlap: replication and publishing share one door, the intake.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failing; nothing was appended.</exception>
    public async ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken)
    {
        var records = await Log.AppendAsync(messages, receivedAt, cancellationToken);
        foreach (var record in records)
        {
            Index(record);
        }

        return records;
    }

    private void Index(LogRecord record)
    {
        lock (_gate)
        {
            if (!_feeds.TryGetValue(record.Message.Author, out var entry))
            {
                _feeds.Add(record.Message.Author, entry = new Entry());
            }

            entry.Positions.Add(record.Position);
            entry.Tip = record.Message.Id;
        }
    }

    private sealed class Entry
    {
        public List<long> Positions { get; } = [];

        public MessageId Tip { get; set; }
    }
}
