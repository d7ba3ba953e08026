using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <content>What peers say and send.</content>
public sealed partial class EbtTree
{
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
}
