using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Replication;

/// <content>What is wanted, what is withheld, and what is here.</content>
public sealed partial class EbtTree
{
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
