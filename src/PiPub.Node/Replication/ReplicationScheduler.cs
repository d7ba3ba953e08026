using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Replication;

/// <summary>
/// Decides which feeds are replicated: the box's own always, those within reach of its follows, those on the private
/// list; never a feed that the box blocks.
/// </summary>
/// <remarks>
/// Nothing is wanted before <see cref="Start"/>. The private list is for feeds that the owner asked for without the box
/// following them publicly.
/// Source: ssb-replication-scheduler 3.1.1 index.js, req-manager.js (hops at least 0: request; -1: block; less: not).
/// </remarks>
public sealed class ReplicationScheduler : IWantedFeeds
{
    private readonly FollowGraph _graph;
    private readonly ReplicateListTable _list;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Lock _oneWriter = new();
    private readonly HashSet<FeedId> _wanted = [];
    private readonly HashSet<FeedId> _listed;
    private bool _started;

    /// <summary>Reads the private list; the graph is followed from <see cref="Start"/> on.</summary>
    public ReplicationScheduler(FollowGraph graph, ReplicateListTable list, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(list);
        (_graph, _list, _time) = (graph, list, time);
        _listed = [.. list.All()];
    }

    /// <inheritdoc/>
    public event Action<WantedChange>? Changed;

    /// <summary>How far along follows feeds are replicated.</summary>
    public int Hops => _graph.MaxHops;

    /// <summary>Begins to want what is to be wanted. Later calls do nothing.</summary>
    public void Start()
    {
        lock (_oneWriter)
        {
            if (_started)
            {
                return;
            }

            _started = true;
            _graph.HopsChanged += changes => Judge(changes.Select(change => change.Feed));
            _graph.EdgesChanged += changes => Judge(changes.Where(change => change.Edge.Author == _graph.Box).Select(change => change.Edge.Contact));
        }

        Judge([_graph.Box, .. _graph.AllHops().Select(pair => pair.Key), .. Listed()]);
    }

    /// <summary>Takes another reach into account from now on; what it no longer covers is no longer replicated (and kept).</summary>
    public void Reconfigure(ReplicationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _graph.SetMaxHops(options.Hops);
    }

    /// <summary>Puts a feed on the private list; false when it was there already.</summary>
    public bool Ask(FeedId feed)
    {
        var added = _list.Add(feed, _time.GetUtcNow().ToUnixTimeMilliseconds());
        lock (_gate)
        {
            _listed.Add(feed);
        }

        Judge([feed]);
        return added;
    }

    /// <summary>Takes a feed off the private list; false when it was not there. It stays wanted if it is within reach.</summary>
    public bool Forget(FeedId feed)
    {
        var removed = _list.Remove(feed);
        lock (_gate)
        {
            _listed.Remove(feed);
        }

        Judge([feed]);
        return removed;
    }

    /// <summary>The private list.</summary>
    public IReadOnlyList<FeedId> Listed()
    {
        lock (_gate)
        {
            return [.. _listed];
        }
    }

    /// <inheritdoc/>
    public bool IsWanted(FeedId feed)
    {
        lock (_gate)
        {
            return _wanted.Contains(feed);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<FeedId> Wanted()
    {
        FeedId[] wanted;
        lock (_gate)
        {
            wanted = [.. _wanted];
        }

        var hops = Array.ConvertAll(wanted, feed => _graph.Hops(feed) ?? int.MaxValue);
        Array.Sort(hops, wanted);
        return wanted;
    }

    private bool ShouldWant(FeedId feed)
    {
        if (feed == _graph.Box)
        {
            return true;
        }

        return !_graph.IsBlocking(feed) && (_graph.Hops(feed) >= 0 || _listed.Contains(feed));
    }

    private void Judge(IEnumerable<FeedId> feeds)
    {
        List<FeedId> added = [], removed = [];
        lock (_oneWriter)
        {
            if (!_started)
            {
                return;
            }

            lock (_gate)
            {
                foreach (var feed in feeds)
                {
                    if (ShouldWant(feed))
                    {
                        if (_wanted.Add(feed))
                        {
                            added.Add(feed);
                        }
                    }
                    else if (_wanted.Remove(feed))
                    {
                        removed.Add(feed);
                    }
                }
            }

            if (added.Count + removed.Count > 0)
            {
                // The nearest first: they are asked for, and sent by most peers, in this order.
                added.Sort((one, other) => (_graph.Hops(one) ?? int.MaxValue).CompareTo(_graph.Hops(other) ?? int.MaxValue));
                Changed?.Invoke(new WantedChange(added, removed));
            }
        }
    }
}
