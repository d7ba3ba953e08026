using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <summary>
/// Epidemic broadcast tree (EBT) replication, version 3: which feeds are wanted, what every connected peer has of them,
/// and from that what to say to each peer, what to send, and whom to receive each feed from.
/// </summary>
/// <remarks>
/// Rules only: no streams, no storage, no clock; every call says what time it is in milliseconds of any steady clock.
/// Not thread-safe: whoever holds it takes one lock around it and its sessions. Calls cost microseconds; those that
/// concern all feeds (<see cref="Open"/>, <see cref="Close"/>, <see cref="Tick"/>) a few milliseconds at 10,000 feeds.
/// <para>
/// Each feed is received from one peer at a time, its source; all others only announce what they have. The source
/// changes when it goes away, stays silent for <see cref="SilenceMilliseconds"/> although it claimed more, or when another
/// peer claims more and the source has nothing more to give (after <see cref="PatienceMilliseconds"/>, in which the
/// source's own copy may still arrive: so a message seldom crosses the wire twice).
/// </para>
/// <para>
/// A feed's note goes to a peer: at the start of the session, unless both sides are known to know it; whenever the feed
/// becomes wanted or stops being so; in answer to the peer's first word on the feed; when the source changes; and when
/// the feed grows beyond what the peer has while the peer does not receive it from us.
/// </para>
/// Source: epidemic-broadcast-trees 9.0.4, events.js; ssb-ebt 9.1.2; Leitão, Pereira, Rodrigues, "Epidemic Broadcast
/// Trees" (2007). Unlike events.js the source is one over all sessions, strictly, and -1 is answered with our own note
/// when the peer may not know that we want the feed.
/// </remarks>
public sealed partial class EbtTree
{
    private readonly Func<FeedId, FeedId, bool> _withheld;
    private readonly Dictionary<FeedId, EbtFeed> _feeds = [];
    private readonly List<EbtSession> _sessions = [];

    /// <summary>A tree without feeds and sessions.</summary>
    /// <param name="withheld">Tells whether a feed (first) must not reach a peer (second), because its author blocked the peer.</param>
    public EbtTree(Func<FeedId, FeedId, bool> withheld)
    {
        ArgumentNullException.ThrowIfNull(withheld);
        _withheld = withheld;
    }

    /// <summary>Told of every peer's word on how far it has a wanted feed: peer, feed, sequence.</summary>
    public Action<FeedId, FeedId, int>? Claimed { get; init; }

    /// <summary>The open sessions.</summary>
    public IReadOnlyList<EbtSession> Sessions => _sessions;

    /// <summary>The number of wanted feeds.</summary>
    public int WantedCount { get; private set; }

    /// <summary>True when the feed is wanted.</summary>
    public bool IsWanted(FeedId feed) => _feeds.TryGetValue(feed, out var entry) && entry.Wanted;

    /// <summary>Starts to replicate a feed with every peer.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="sequence">The newest sequence that is held; 0 for none.</param>
    /// <param name="now">The time.</param>
    public void Want(FeedId feed, int sequence, long now)
    {
        if (!_feeds.TryGetValue(feed, out var entry))
        {
            _feeds.Add(feed, entry = new EbtFeed(feed, _feeds.Count));
        }

        if (entry.Wanted)
        {
            return;
        }

        entry.Wanted = true;
        WantedCount++;
        entry.Local = entry.Seen = sequence;
        entry.Source = null;
        foreach (var session in _sessions)
        {
            ref var lane = ref session.Lanes[entry.Number];
            lane.Set(LaneFlags.Withheld, _withheld(feed, session.Peer));
            if (session.Greeted && !lane.Has(LaneFlags.Withheld))
            {
                session.Tell(entry);
            }
        }

        SettleOnAny(entry, now);
    }

    /// <summary>Stops to replicate a feed: every peer that knows otherwise is told -1, and nothing more is received or sent.</summary>
    public void Unwant(FeedId feed)
    {
        if (!_feeds.TryGetValue(feed, out var entry) || !entry.Wanted)
        {
            return;
        }

        entry.Wanted = false;
        WantedCount--;
        entry.Source = null;
        foreach (var session in _sessions)
        {
            CloseLane(session, entry);
        }
    }

    /// <summary>Stops or resumes the receiving of a feed (which is forked, or was repaired); what is held is sent as before.</summary>
    public void SetStopped(FeedId feed, bool stopped, long now)
    {
        if (!_feeds.TryGetValue(feed, out var entry))
        {
            _feeds.Add(feed, entry = new EbtFeed(feed, _feeds.Count));
        }

        if (entry.Stopped == stopped)
        {
            return;
        }

        entry.Stopped = stopped;
        if (stopped)
        {
            Take(entry, null, now);
        }
        else
        {
            LookForSource(entry, now);
        }
    }

    /// <summary>Says that an author now withholds its feed from a peer (has blocked it), or no longer does.</summary>
    public void SetWithheld(FeedId author, FeedId peer, bool withheld, long now)
    {
        if (!_feeds.TryGetValue(author, out var feed))
        {
            return;
        }

        foreach (var session in _sessions)
        {
            if (session.Peer != peer || session.Lanes.Peek(feed.Number).Has(LaneFlags.Withheld) == withheld)
            {
                continue;
            }

            session.Lanes[feed.Number].Set(LaneFlags.Withheld, withheld);
            if (withheld)
            {
                CloseLane(session, feed);
                LeaveSource(session, feed, now);
            }
            else if (feed.Wanted && session.Greeted)
            {
                session.Tell(feed);
            }
        }
    }

    /// <summary>Says that a feed has grown: its messages up to <paramref name="sequence"/> are safely stored.</summary>
    public void Append(FeedId feed, int sequence, long now)
    {
        if (!_feeds.TryGetValue(feed, out var entry) || sequence <= entry.Local)
        {
            return;
        }

        entry.Local = sequence;
        entry.Seen = Math.Max(entry.Seen, sequence);
        entry.Progress = now;
        if (!entry.Wanted)
        {
            return;
        }

        foreach (var session in _sessions)
        {
            var lane = session.Lanes.Peek(entry.Number);
            if (!session.Greeted || lane.Has(LaneFlags.Withheld | LaneFlags.Refused))
            {
                continue;
            }

            if (lane.Has(LaneFlags.Send))
            {
                if (lane.Sent < sequence)
                {
                    session.Send(entry);
                }
            }
            else if (!lane.Has(LaneFlags.Known) || (lane.Remote != -1 && lane.Remote < sequence))
            {
                session.Tell(entry);
            }
        }

        LookForSource(entry, now);
    }

    /// <summary>
    /// Opens a session. As the acceptor we have notes at once, as the client only after the peer's first.
    /// </summary>
    /// <param name="peer">The peer; at most one session a peer, the caller closes the former.</param>
    /// <param name="isClient">True when this side opened the stream.</param>
    /// <param name="memory">What the last session with the peer left.</param>
    /// <param name="wake">Called, under the caller's lock, when notes or messages begin to wait.</param>
    /// <param name="now">The time.</param>
    public EbtSession Open(FeedId peer, bool isClient, EbtMemory memory, Action wake, long now)
    {
        ArgumentNullException.ThrowIfNull(memory);
        var session = new EbtSession(this, peer, isClient, wake) { LastHeard = now };
        foreach (var feed in _feeds.Values)
        {
            if (!feed.Wanted)
            {
                continue;
            }

            var withheld = _withheld(feed.Id, peer);
            if (memory.TryGet(feed.Id, out var remote, out var told))
            {
                ref var lane = ref session.Lanes[feed.Number];
                lane.Remote = lane.Sent = remote;
                lane.Told = told;
                lane.Set(LaneFlags.Known, remote != EbtMemory.Unknown);
                lane.Set(LaneFlags.Told, told != EbtMemory.Unknown);
            }

            if (withheld)
            {
                session.Lanes[feed.Number].Set(LaneFlags.Withheld, true);
            }
        }

        _sessions.Add(session);
        if (!isClient)
        {
            Greet(session, now);
        }

        return session;
    }

    /// <summary>Closes a session; the feeds that it was the source of are looked for elsewhere.</summary>
    public void Close(EbtSession session, long now)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.Closed = true;
        if (!_sessions.Remove(session))
        {
            return;
        }

        foreach (var feed in _feeds.Values)
        {
            LeaveSource(session, feed, now);
        }
    }

    /// <summary>What to remember of a session's peer, while it lasts or after it was closed.</summary>
    public EbtMemory Remember(EbtSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        var memory = new EbtMemory();
        foreach (var feed in _feeds.Values)
        {
            var lane = session.Lanes.Peek(feed.Number);
            if (lane.Has(LaneFlags.Known | LaneFlags.Told))
            {
                memory.Set(
                    feed.Id,
                    lane.Has(LaneFlags.Known) ? lane.Remote : EbtMemory.Unknown,
                    lane.Has(LaneFlags.Told) && !lane.Has(LaneFlags.Unanswered) ? lane.Told : EbtMemory.Unknown);
            }
        }

        return memory;
    }

    /// <summary>Takes in a peer's notes.</summary>
    /// <exception cref="JsonException">They are no JSON object. What could be read before that counts.</exception>
    public void ReceiveNotes(EbtSession session, ReadOnlySpan<byte> utf8, long now)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!session.Greeted)
        {
            Greet(session, now);
        }

        var notes = new EbtNotesReader(utf8);
        while (notes.Read(out var id, out var note))
        {
            if (_feeds.TryGetValue(id, out var feed) && feed.Wanted)
            {
                Receive(session, feed, note, now);
            }
            else if (note.Replicate)
            {
                session.Refuse(id);
            }
        }
    }

    /// <summary>Judges whether a message that a peer sent was asked of it and is new; only then it is worth verifying.</summary>
    public bool ReceiveMessage(EbtSession session, FeedId author, int sequence, long now)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!_feeds.TryGetValue(author, out var feed) || !feed.Wanted || sequence < 1)
        {
            return false;
        }

        // Whatever it sends, it has.
        ref var lane = ref session.Lanes[feed.Number];
        if (!lane.Has(LaneFlags.Known) || lane.Remote < sequence)
        {
            lane.Remote = sequence;
            lane.Flags |= LaneFlags.Known;
        }

        lane.Sent = Math.Max(lane.Sent, sequence);
        if (feed.Source != session)
        {
            return false;
        }

        session.LastHeard = now;
        if (sequence <= feed.Seen)
        {
            return false;
        }

        if (sequence == feed.Seen + 1)
        {
            feed.Seen = sequence;
            feed.Progress = now;
        }

        session.ReceivedCount++;
        return true;
    }

    /// <summary>Says that a peer's stream is alive although nothing was read from it for a while, because we were busy.</summary>
    public static void Touch(EbtSession session, long now)
    {
        ArgumentNullException.ThrowIfNull(session);
        session.LastHeard = now;
    }

    /// <summary>A message of a feed from this peer was invalid: it is told -1, and the feed is received from others.</summary>
    public void RefuseFrom(EbtSession session, FeedId author, long now)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (_feeds.TryGetValue(author, out var feed))
        {
            session.Lanes[feed.Number].Flags |= LaneFlags.Refused;
            feed.Seen = feed.Local;
            CloseLane(session, feed);
            LeaveSource(session, feed, now);
        }
    }

    /// <summary>
    /// Messages of a feed that had arrived did not reach the store (the disk was full, too many were missing before them).
    /// They are asked for again when the source has been silent for a while.
    /// </summary>
    public void Lost(FeedId author)
    {
        if (_feeds.TryGetValue(author, out var feed))
        {
            feed.Seen = feed.Local;
        }
    }

    /// <summary>How a session stands with a feed; null when neither side has said anything about it.</summary>
    public EbtLaneStatus? StatusOf(EbtSession session, FeedId feed)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (!_feeds.TryGetValue(feed, out var entry))
        {
            return null;
        }

        var lane = session.Lanes.Peek(entry.Number);
        return lane.Has(LaneFlags.Known | LaneFlags.Told)
            ? new EbtLaneStatus(
                lane.Has(LaneFlags.Known) ? lane.Remote : 0,
                lane.Has(LaneFlags.Told) ? lane.Told : -1,
                lane.Sent,
                lane.Has(LaneFlags.Send),
                entry.Source == session)
            : null;
    }

    internal static EbtNote NoteFor(EbtSession session, EbtFeed feed, in EbtLane lane) =>
        feed.Wanted && !lane.Has(LaneFlags.Withheld | LaneFlags.Refused)
            ? EbtNote.Of(feed.Local, feed.Source == session)
            : EbtNote.NotReplicated;

    /// <summary>Prepares the first notes of a session: everything that the two sides may not both know already.</summary>
    private void Greet(EbtSession session, long now)
    {
        session.Greet();
        foreach (var feed in _feeds.Values)
        {
            if (!feed.Wanted)
            {
                continue;
            }

            var lane = session.Lanes.Peek(feed.Number);
            if (lane.Has(LaneFlags.Withheld))
            {
                continue;
            }

            var toldWanted = lane.Has(LaneFlags.Told) && lane.Told >= 0;
            var lost = toldWanted && lane.Told > feed.Local;
            if (toldWanted && !lost && lane.Has(LaneFlags.Known) && (lane.Remote == -1 || lane.Remote == feed.Local))
            {
                continue;
            }

            if (lost && feed.Local > 0)
            {
                session.Lanes[feed.Number].Flags |= LaneFlags.ZeroFirst;
            }

            if (feed.Source is null && !feed.Stopped)
            {
                Take(feed, session, now);
            }
            else if (feed.Id == session.Peer)
            {
                LookAgainSoon(feed, now);
            }

            session.Tell(feed);
        }
    }

    private void Receive(EbtSession session, EbtFeed feed, EbtNote note, long now)
    {
        ref var lane = ref session.Lanes[feed.Number];
        if (lane.Has(LaneFlags.Withheld | LaneFlags.Refused))
        {
            if (note.Replicate && !(lane.Has(LaneFlags.Spoken) && lane.Told == -1))
            {
                session.Tell(feed);
            }

            return;
        }

        // A remembered or earlier number is never kept against what the peer says now, be it lower: it may have lost messages.
        lane.Remote = note.Sequence;
        lane.Flags |= LaneFlags.Known;
        lane.Set(LaneFlags.Unanswered, false);
        lane.Set(LaneFlags.Send, note.Receive);
        if (!note.Replicate)
        {
            LeaveSource(session, feed, now);
            if (!lane.Has(LaneFlags.Spoken) && !(lane.Has(LaneFlags.Told) && lane.Told >= 0))
            {
                session.Tell(feed);
            }

            return;
        }

        lane.Sent = note.Sequence;
        Claimed?.Invoke(session.Peer, feed.Id, note.Sequence);
        if (!lane.Has(LaneFlags.Spoken)
            || (feed.Local > note.Sequence && !note.Receive && lane.Told != feed.Local))
        {
            session.Tell(feed);
        }

        if (note.Receive && feed.Local > lane.Sent)
        {
            session.Send(feed);
        }

        if (feed.Source is null && !feed.Stopped && note.Sequence >= feed.Local)
        {
            Take(feed, session, now);
        }
        else
        {
            LookForSource(feed, now);
        }
    }

    private static void CloseLane(EbtSession session, EbtFeed feed)
    {
        var lane = session.Lanes.Peek(feed.Number);
        if (lane.Has(LaneFlags.Spoken | LaneFlags.Known) || (lane.Has(LaneFlags.Told) && lane.Told != -1))
        {
            session.Lanes[feed.Number].Set(LaneFlags.Send, false);
            if (session.Greeted)
            {
                session.Tell(feed);
            }
        }
    }
}
