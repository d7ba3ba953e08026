using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Replication;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <content>What changes while sessions last: the log, what is wanted, who blocks whom, and the time.</content>
public sealed partial class EbtReplication
{
    /// <inheritdoc/>
    public void Appended(IReadOnlyList<LogRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        lock (_gate)
        {
            var now = Now;
            for (var i = 0; i < records.Count; i++)
            {
                var message = records[i].Message;
                _recent.Add(records[i]);
                if (i + 1 == records.Count || records[i + 1].Message.Author != message.Author)
                {
                    _tree.Append(message.Author, message.Sequence, now);
                }
            }

            ArmTimer();
        }
    }

    /// <summary>A person said that a forked feed is to be received again.</summary>
    public void Resume(FeedId feed)
    {
        lock (_gate)
        {
            _tree.SetStopped(feed, false, Now);
        }
    }

    private void OnWantedChanged(WantedChange change)
    {
        lock (_gate)
        {
            var now = Now;
            foreach (var feed in change.Removed)
            {
                _tree.Unwant(feed);
            }

            foreach (var feed in change.Added)
            {
                if (IsForked(feed))
                {
                    _tree.SetStopped(feed, true, now);
                }

                _tree.Want(feed, _store.SequenceOf(feed), now);
            }

            // That a peer was told "no" must be remembered, or it would never be told "yes" again.
            _saveSoon = change.Removed.Count > 0 ? now : _saveSoon;
            ArmTimer();
        }
    }

    private void OnEdgesChanged(IReadOnlyList<ContactChange> changes)
    {
        lock (_gate)
        {
            foreach (var (edge, former) in changes)
            {
                if (edge.State == ContactState.Blocking || former == ContactState.Blocking)
                {
                    _tree.SetWithheld(edge.Author, edge.Contact, IsWithheld(edge.Author, edge.Contact), Now);
                }
            }
        }
    }

    private void Tick()
    {
        EbtLink? toRemember = null;
        lock (_gate)
        {
            var now = Now;
            _timerDue = long.MaxValue;
            _tree.Tick(now);
            ArmTimer();
            foreach (var link in _links.Values)
            {
                // One a tick: the work, and the writing, is spread out.
                if (now - link.RememberedAt > _options.RememberEvery.TotalMilliseconds || (_saveSoon > 0 && link.RememberedAt <= _saveSoon))
                {
                    link.RememberedAt = now;
                    toRemember = link;
                    break;
                }
            }
        }

        if (toRemember is not null)
        {
            Remember(toRemember);
        }
    }

    /// <summary>Wakes up for the tree's next look, and once a second while anybody is connected. Called under the lock.</summary>
    private void ArmTimer()
    {
        if (_tree.Sessions.Count == 0)
        {
            return;
        }

        var now = Now;
        var due = Math.Min(_tree.NextLook ?? long.MaxValue, now + 1000);
        if (due < _timerDue)
        {
            _timerDue = due;
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, due - now)), Timeout.InfiniteTimeSpan);
        }
    }

    private void Remember(EbtLink link)
    {
        EbtMemory memory;
        lock (_gate)
        {
            memory = _tree.Remember(link.Session);
        }

        link.Saved = _memories.Save(link.Session.Peer, memory, link.Saved);
    }
}
