namespace PiPub.Scuttlebutt.Replication;

/// <content>From whom each feed is received.</content>
public sealed partial class EbtTree
{
    /// <summary>A source that claimed more and sent nothing for this long loses the feed to another peer.</summary>
    public const int SilenceMilliseconds = 3000;

    /// <summary>How long an announcement of another peer waits for the source's own copy.</summary>
    public const int PatienceMilliseconds = 250;

    // A busy source may serve other feeds first; one that never comes to this feed loses it, or is asked again, by and by.
    private const int NeglectMilliseconds = 30_000;
    private const int AskAgainMilliseconds = 120_000;

    private readonly Queue<(EbtFeed Feed, long Due)> _looks = new();

    /// <summary>When <see cref="Tick"/> has something to do before its regular time: the time that is due, or null.</summary>
    public long? NextLook => _looks.TryPeek(out var next) ? next.Due : null;

    /// <summary>Changes the sources that keep silent. To be called about once a second, and at <see cref="NextLook"/>.</summary>
    public void Tick(long now)
    {
        for (var waiting = _looks.Count; waiting > 0 && _looks.Peek().Due <= now; waiting--)
        {
            var feed = _looks.Dequeue().Feed;
            feed.LookQueued = false;
            SettleOnBest(feed, now);
        }

        if (_sessions.Count == 0)
        {
            return;
        }

        foreach (var feed in _feeds.Values)
        {
            if (feed.Source is not { } source || now - feed.Progress < SilenceMilliseconds || !Claims(source, feed))
            {
                continue;
            }

            var lane = source.Lanes.Peek(feed.Number);
            var answered = lane.Has(LaneFlags.Known);
            var still = now - feed.Progress;
            var silent = now - source.LastHeard >= SilenceMilliseconds && (!answered || lane.Remote > feed.Seen);
            if ((silent || still >= NeglectMilliseconds) && NextAhead(feed, source) is { } other)
            {
                Take(feed, other, now);
            }
            else if (answered && (still >= AskAgainMilliseconds || (silent && still >= NeglectMilliseconds)))
            {
                feed.Seen = feed.Local;
                feed.Progress = now;
                source.Tell(feed);
            }
        }
    }

    /// <summary>True while a session may still send something of the feed: it claims more than has arrived, or has not answered yet.</summary>
    private static bool Claims(EbtSession session, EbtFeed feed)
    {
        var lane = session.Lanes.Peek(feed.Number);
        return !lane.Has(LaneFlags.Known) || lane.Remote > feed.Local;
    }

    private static bool IsAhead(EbtSession session, EbtFeed feed)
    {
        var lane = session.Lanes.Peek(feed.Number);
        return session.Greeted
            && lane.Has(LaneFlags.Known)
            && lane.Remote > feed.Seen
            && !lane.Has(LaneFlags.Withheld | LaneFlags.Refused);
    }

    /// <summary>The next session after <paramref name="source"/>, going round, that has more of the feed than we do.</summary>
    private EbtSession? NextAhead(EbtFeed feed, EbtSession? source)
    {
        var start = source is null ? -1 : _sessions.IndexOf(source);
        for (var i = 1; i <= _sessions.Count; i++)
        {
            var session = _sessions[(start + i) % _sessions.Count];
            if (session != source && IsAhead(session, feed))
            {
                return session;
            }
        }

        return null;
    }

    /// <summary>Gives a feed without a source one that is ahead; when there is a source, has a second look in a while.</summary>
    private void LookForSource(EbtFeed feed, long now)
    {
        if (!feed.Wanted || feed.Stopped || _sessions.Count == 0)
        {
            return;
        }

        if (feed.Source is not { } source)
        {
            if (NextAhead(feed, null) is { } ahead)
            {
                Take(feed, ahead, now);
            }
        }
        else if (!Claims(source, feed) && NextAhead(feed, source) is { } other)
        {
            // A source that asks us for the very feed will not get it elsewhere first.
            if (source.Peer != feed.Id && source.Lanes.Peek(feed.Number).Has(LaneFlags.Send))
            {
                Take(feed, other, now);
            }
            else
            {
                LookAgainSoon(feed, now);
            }
        }
    }

    private void LookAgainSoon(EbtFeed feed, long now)
    {
        if (!feed.LookQueued)
        {
            feed.LookQueued = true;
            _looks.Enqueue((feed, now + PatienceMilliseconds));
        }
    }

    private void SettleOnBest(EbtFeed feed, long now)
    {
        if (!feed.Wanted || feed.Stopped)
        {
            return;
        }

        if (feed.Source is { } source && Claims(source, feed) && now - feed.Progress < SilenceMilliseconds)
        {
            return; // It delivers, or has yet to answer; Tick or its next word leads back here.
        }

        var author = _sessions.Find(session => session.Peer == feed.Id && session.Greeted);
        var best = author is not null && IsAhead(author, feed) ? author : NextAhead(feed, feed.Source);
        if (best is not null && now - feed.Progress < PatienceMilliseconds)
        {
            LookAgainSoon(feed, now); // The source has just brought something; the rest may follow.
        }
        else if (best is not null)
        {
            Take(feed, best, now);
        }
        else if (author is not null && author != feed.Source && HasAll(author, feed))
        {
            Take(feed, author, now); // All are equal: nobody gets an author's next message sooner than its own device.
        }
    }

    private static bool HasAll(EbtSession session, EbtFeed feed)
    {
        var lane = session.Lanes.Peek(feed.Number);
        return lane.Has(LaneFlags.Known) && lane.Remote >= feed.Local && !lane.Has(LaneFlags.Withheld | LaneFlags.Refused);
    }

    /// <summary>For a feed that has just become wanted: whoever is ahead, or else its author, or else anybody who may have it.</summary>
    private void SettleOnAny(EbtFeed feed, long now)
    {
        if (feed.Stopped)
        {
            return;
        }

        EbtSession? any = null;
        foreach (var session in _sessions)
        {
            if (!session.Greeted || session.Lanes.Peek(feed.Number).Has(LaneFlags.Withheld | LaneFlags.Refused))
            {
                continue;
            }

            if (IsAhead(session, feed) || session.Peer == feed.Id)
            {
                any = session;
                break;
            }

            any ??= session;
        }

        if (any is not null)
        {
            Take(feed, any, now);
        }
    }

    /// <summary>Ends a session's being the source of a feed.</summary>
    private void LeaveSource(EbtSession session, EbtFeed feed, long now)
    {
        if (feed.Source == session)
        {
            feed.Source = null;
            feed.Seen = feed.Local;
            LookForSource(feed, now);
        }
    }

    private static void Take(EbtFeed feed, EbtSession? source, long now)
    {
        var former = feed.Source;
        if (former == source)
        {
            return;
        }

        feed.Source = source;
        feed.Seen = feed.Local;
        feed.Progress = now;
        former?.Tell(feed);
        source?.Tell(feed);
    }
}
