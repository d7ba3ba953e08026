using System.Buffers;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>How a session stands with one feed.</summary>
/// <param name="Remote">The sequence that the peer has; -1 when it does not replicate the feed.</param>
/// <param name="Told">The sequence that we told it last; -1 for none.</param>
/// <param name="Sent">The sequence up to which it has been sent the feed.</param>
/// <param name="IsSending">It wants to be sent what follows.</param>
/// <param name="IsReceiving">It has been asked to send what follows.</param>
public readonly record struct EbtLaneStatus(int Remote, int Told, int Sent, bool IsSending, bool IsReceiving);

/// <summary>
/// One peer's side of epidemic broadcast tree replication: a lane for every feed, and the two queues of what is to be
/// said and sent. Belongs to an <see cref="EbtTree"/> and is, like it, for one thread at a time.
/// </summary>
public sealed class EbtSession
{
    // Feeds that we do not want are answered once; beyond this many, possibly more than once.
    private const int MaxRefusedKept = 8192;

    // A peer that names more unwanted feeds than this before it reads our answers gets no answer for the rest.
    private const int MaxRefusalsQueued = 65536;

    private readonly EbtTree _tree;
    private readonly Action _wake;
    private readonly Queue<EbtFeed> _notes = new();
    private readonly Queue<EbtFeed> _sends = new();
    private readonly Queue<EbtFeed> _again = new();
    private Queue<FeedId>? _refusals;
    private HashSet<int>? _refused;

    internal EbtSession(EbtTree tree, FeedId peer, bool isClient, Action wake)
    {
        _tree = tree;
        Peer = peer;
        IsClient = isClient;
        _wake = wake;
    }

    /// <summary>The peer.</summary>
    public FeedId Peer { get; }

    /// <summary>True when we opened the session: then the peer speaks first.</summary>
    public bool IsClient { get; }

    /// <summary>True once our first notes have been prepared.</summary>
    public bool Greeted { get; internal set; }

    /// <summary>True after the session was closed; it has nothing more to say.</summary>
    public bool Closed { get; internal set; }

    /// <summary>When the peer last sent a message that was asked of it, in milliseconds of the tree's clock.</summary>
    public long LastHeard { get; internal set; }

    /// <summary>Messages taken for sending in this session.</summary>
    public long SentCount { get; private set; }

    /// <summary>Messages accepted from the peer in this session.</summary>
    public long ReceivedCount { get; internal set; }

    /// <summary>True when there are notes to write.</summary>
    public bool HasNotes => !Closed && (MustSpeak || _notes.Count > 0 || _refusals is { Count: > 0 });

    /// <summary>True when there are messages to send.</summary>
    public bool HasMessages => !Closed && _sends.Count > 0;

    internal bool MustSpeak { get; set; }

    internal EbtLanes Lanes { get; } = new();

    /// <summary>
    /// Writes the next notes object: what is now true of at most <paramref name="maxFeeds"/> of the feeds that wait.
    /// </summary>
    /// <returns>False when there was nothing to write.</returns>
    public bool TakeNotes(IBufferWriter<byte> output, int maxFeeds)
    {
        if (!HasNotes)
        {
            return false;
        }

        MustSpeak = false;
        var notes = new EbtNotesWriter(output);
        while (notes.Count < maxFeeds && _notes.TryDequeue(out var feed))
        {
            ref var lane = ref Lanes[feed.Number];
            lane.Set(LaneFlags.NoteQueued, false);
            if (lane.Has(LaneFlags.ZeroFirst))
            {
                lane.Set(LaneFlags.ZeroFirst, false);
                notes.Write(feed.Id, EbtNote.Of(0, true));
                _again.Enqueue(feed);
                continue;
            }

            var note = EbtTree.NoteFor(this, feed, in lane);
            lane.Told = note.Sequence;
            lane.Flags |= LaneFlags.Told;
            lane.Set(LaneFlags.Unanswered, note.Replicate && lane.Has(LaneFlags.Known) && lane.Remote == -1);
            notes.Write(feed.Id, note);
        }

        while (_again.TryDequeue(out var feed))
        {
            Tell(feed);
        }

        while (notes.Count < maxFeeds && _refusals is not null && _refusals.TryDequeue(out var feed))
        {
            if (!_tree.IsWanted(feed))
            {
                notes.Write(feed, EbtNote.NotReplicated);
            }
        }

        notes.End();
        return true;
    }

    /// <summary>
    /// Takes the next messages to send: <paramref name="count"/> (at most <paramref name="max"/>) of one feed in order.
    /// Feeds take turns. From here on they count as sent.
    /// </summary>
    /// <returns>False when nothing is to be sent.</returns>
    public bool TakeMessages(int max, out FeedId feed, out int first, out int count)
    {
        while (!Closed && _sends.TryDequeue(out var next))
        {
            ref var lane = ref Lanes[next.Number];
            lane.Set(LaneFlags.SendQueued, false);
            count = Math.Min(max, next.Local - lane.Sent);
            if (!lane.Has(LaneFlags.Send) || !next.Wanted || count <= 0)
            {
                continue;
            }

            feed = next.Id;
            first = lane.Sent + 1;
            lane.Sent += count;
            SentCount += count;
            if (lane.Sent < next.Local)
            {
                Send(next);
            }

            return true;
        }

        feed = default;
        first = count = 0;
        return false;
    }

    internal void Tell(EbtFeed feed)
    {
        ref var lane = ref Lanes[feed.Number];
        lane.Flags |= LaneFlags.Spoken;
        if (!lane.Has(LaneFlags.NoteQueued))
        {
            lane.Flags |= LaneFlags.NoteQueued;
            _notes.Enqueue(feed);
            WakeIfFirst(_notes.Count);
        }
    }

    internal void Send(EbtFeed feed)
    {
        ref var lane = ref Lanes[feed.Number];
        if (!lane.Has(LaneFlags.SendQueued))
        {
            lane.Flags |= LaneFlags.SendQueued;
            _sends.Enqueue(feed);
            WakeIfFirst(_sends.Count);
        }
    }

    /// <summary>Answers -1 for a feed that was never wanted, once.</summary>
    internal void Refuse(FeedId feed)
    {
        _refused ??= [];
        _refusals ??= new Queue<FeedId>();
        if (_refusals.Count >= MaxRefusalsQueued || _refused.Contains(feed.GetHashCode()))
        {
            return;
        }

        if (_refused.Count < MaxRefusedKept)
        {
            _refused.Add(feed.GetHashCode());
        }

        _refusals.Enqueue(feed);
        WakeIfFirst(_refusals.Count);
    }

    internal void Greet()
    {
        Greeted = true;
        MustSpeak = true;
        _wake();
    }

    private void WakeIfFirst(int queued)
    {
        if (queued == 1)
        {
            _wake();
        }
    }
}
