using System.Collections.Concurrent;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage;

/// <summary>
/// The message log together with the index that replication needs at hand: for every feed its tip, and for every
/// sequence its position. Whoever appends appends here, and whoever follows the log waits here, so that log and index
/// never disagree for anyone.
/// </summary>
public sealed class MessageStore : IDisposable
{
    private readonly ConcurrentDictionary<FeedId, FeedPositions> _feeds = new();
    private readonly SemaphoreSlim _oneWriter = new(1);
    private readonly Dictionary<FeedId, FeedTip> _batch = [];
    private TaskCompletionSource _grown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _end;
    private long _count;

    /// <summary>Indexes what <paramref name="log"/> holds: from <paramref name="index"/> what it knows, the rest by reading.</summary>
    /// <exception cref="InvalidDataException">The log is damaged where it had to be read.</exception>
    public MessageStore(IMessageLog log, IFeedIndex? index = null)
    {
        ArgumentNullException.ThrowIfNull(log);
        Log = log;
        if (index is not null && index.IndexedTo <= log.End)
        {
            try
            {
                Load(index);
            }
            catch (IOException)
            {
                // A damaged view costs time, nothing else: the whole log is read instead.
                _feeds.Clear();
                _count = 0;
            }
        }

        foreach (var record in log.Scan(_end))
        {
            // A record that does not continue its feed is left out; the verifier reports it.
            if (Tip(record.Message.Author).Judge(record.Message) == FeedOrder.Next)
            {
                Index(record);
                _feeds[record.Message.Author].Publish(new FeedTip(record.Message.Sequence, record.Message.Id));
            }

            _end = record.End;
        }
    }

    /// <summary>The log beneath.</summary>
    public IMessageLog Log { get; }

    /// <summary>The position after the last message that is stored and indexed; 0 when there is none.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>The number of messages held.</summary>
    public long MessageCount => Volatile.Read(ref _count);

    /// <summary>The number of feeds of which something is held.</summary>
    public int FeedCount => _feeds.Count;

    /// <summary>The newest message of a feed; sequence 0 when nothing is held.</summary>
    public FeedTip Tip(FeedId feed) => _feeds.TryGetValue(feed, out var positions) ? Tip(positions) : default;

    /// <summary>The newest sequence of a feed, without looking into the log; 0 when nothing is held.</summary>
    public int SequenceOf(FeedId feed) => _feeds.TryGetValue(feed, out var positions) ? positions.Count : 0;

    /// <summary>Every feed of which something is held, and its newest sequence, without looking into the log.</summary>
    public IEnumerable<KeyValuePair<FeedId, int>> Sequences() => _feeds.Select(feed => KeyValuePair.Create(feed.Key, feed.Value.Count));

    /// <summary>The log position of a feed's message, or -1.</summary>
    public long PositionOf(FeedId feed, int sequence) => _feeds.TryGetValue(feed, out var positions) ? positions[sequence] : -1;

    /// <summary>A snapshot of all feeds and their tips.</summary>
    public IReadOnlyList<KeyValuePair<FeedId, FeedTip>> Tips()
    {
        var tips = new List<KeyValuePair<FeedId, FeedTip>>(_feeds.Count);
        foreach (var (feed, positions) in _feeds)
        {
            tips.Add(new(feed, Tip(positions)));
        }

        return tips;
    }

    /// <summary>Reads records in order from <paramref name="position"/> to the end as it is now, all of them indexed.</summary>
    public IEnumerable<LogRecord> Scan(long position)
    {
        var end = End;
        if (position >= end)
        {
            yield break;
        }

        foreach (var record in Log.Scan(position))
        {
            yield return record;
            if (record.End >= end)
            {
                yield break;
            }
        }
    }

    /// <summary>Completes when <see cref="End"/> is beyond <paramref name="position"/>.</summary>
    public async ValueTask WaitBeyondAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Taken before the end is read: growth after that completes it.
            var grown = Volatile.Read(ref _grown);
            if (End > position)
            {
                return;
            }

            await grown.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Appends messages that follow their feeds' tips (<see cref="FeedTip.Judge"/> said Next, in the order given) with one
    /// group commit, then moves the tips and wakes those who wait. Replication and publishing share one door, the intake.
    /// </summary>
    /// <exception cref="IOException">The disk is full or failing; nothing was appended.</exception>
    /// <exception cref="ArgumentException">A message does not follow its feed's tip; nothing was appended.</exception>
    public async ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        await _oneWriter.WaitAsync(cancellationToken);
        try
        {
            CheckOrder(messages);
            var records = await Log.AppendAsync(messages, receivedAt, cancellationToken);
            foreach (var record in records)
            {
                Index(record);
            }

            foreach (var (feed, tip) in _batch)
            {
                _feeds[feed].Publish(tip);
            }

            if (records.Count > 0)
            {
                Grow(records[^1].End);
            }

            return records;
        }
        finally
        {
            _oneWriter.Release();
        }
    }

    /// <summary>Frees what appending needs. The log is closed by whoever opened it.</summary>
    public void Dispose() => _oneWriter.Dispose();

    private void CheckOrder(IReadOnlyList<Message> messages)
    {
        _batch.Clear();
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var tip = _batch.TryGetValue(message.Author, out var ahead) ? ahead : Tip(message.Author);
            if (tip.Judge(message) != FeedOrder.Next)
            {
                throw new ArgumentException(
                    $"Message {message.Sequence} of {message.Author} does not follow message {tip.Sequence}, the newest held; nothing was stored.", nameof(messages));
            }

            _batch[message.Author] = new FeedTip(message.Sequence, message.Id);
        }
    }

    private void Grow(long end)
    {
        var grown = _grown;
        Volatile.Write(ref _end, end);
        Volatile.Write(ref _grown, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        grown.SetResult();
    }

    private void Index(LogRecord record)
    {
        var positions = _feeds.GetOrAdd(record.Message.Author, static _ => new FeedPositions());
        positions.Add(record.Position);
        Volatile.Write(ref _count, _count + 1);
    }

    private FeedTip Tip(FeedPositions positions)
    {
        if (positions.Tip is { } known)
        {
            return known;
        }

        // Loaded from the index, which keeps no ids; read once, when first asked for.
        var newest = Log.Read(positions[positions.Count]).Message;
        var tip = new FeedTip(newest.Sequence, newest.Id);
        positions.Remember(tip);
        return tip;
    }

    private void Load(IFeedIndex index)
    {
        FeedId current = default;
        FeedPositions? positions = null;
        index.VisitPositions((feed, sequence, position) =>
        {
            if (positions is null || feed != current)
            {
                current = feed;
                positions = _feeds.GetOrAdd(feed, static _ => new FeedPositions());
            }

            if (sequence == positions.Count + 1)
            {
                positions.Add(position);
                _count++;
            }
        });

        _end = index.IndexedTo;
    }
}
