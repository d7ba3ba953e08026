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
}
