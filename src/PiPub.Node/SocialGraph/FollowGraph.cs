using PiPub.Node.Intake;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.SocialGraph;

/// <summary>
/// Who follows and who blocks whom, and how far everybody is from the box along follows: the box 0, those it follows
/// (its members) 1, the people they follow 2, and so on.
/// </summary>
/// <remarks>
/// Public contact messages only. The box follows its members; they need not follow it. Kept in memory: about 20 bytes an edge.
/// Safe for many threads; events are raised one after another, in the order of the changes, outside of the lock that
/// readers take.
/// Source: ssb-friends 5.1.7; layered-graph 1.2.0; dynamic-dijkstra 1.0.2, simple.js.
/// </remarks>
public sealed partial class FollowGraph : IBoxContacts, IAppendObserver
{
    /// <summary>How far feeds are followed when nothing else is configured: ssb-config's default.</summary>
    public const int DefaultMaxHops = 2;

    private readonly Lock _gate = new();
    private readonly Lock _oneWriter = new();
    private readonly Dictionary<FeedId, int> _numbers = [];
    private readonly List<Node> _nodes = [];
    private readonly List<int> _members = [];
    private readonly List<ContactChange> _edgeChanges = [];
    private readonly Dictionary<int, short> _formerHops = [];

    /// <summary>A graph in which the box knows nobody.</summary>
    /// <param name="box">The box's own feed.</param>
    /// <param name="maxHops">How far to count; 0 for the box alone.</param>
    public FollowGraph(FeedId box, int maxHops = DefaultMaxHops)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxHops);
        Box = box;
        MaxHops = maxHops;
        _nodes.Add(new Node(box) { Hops = 0 });
        _numbers.Add(box, 0);
    }

    /// <summary>Edges have changed.</summary>
    public event Action<IReadOnlyList<ContactChange>>? EdgesChanged;

    /// <summary>Distances have changed.</summary>
    public event Action<IReadOnlyList<HopsChange>>? HopsChanged;

    /// <summary>The box's own feed.</summary>
    public FeedId Box { get; }

    /// <summary>How far distances are counted.</summary>
    public int MaxHops { get; private set; }

    /// <summary>The feeds that the box follows, in the order in which it began to.</summary>
    public IReadOnlyList<FeedId> Members
    {
        get
        {
            lock (_gate)
            {
                return _members.ConvertAll(number => _nodes[number].Id);
            }
        }
    }

    /// <summary>Draws what the log holds: the edges of a view, and what the log has beyond it.</summary>
    /// <param name="store">The messages.</param>
    /// <param name="source">A view of contacts; without one the whole log is read.</param>
    public void Load(MessageStore store, IContactSource? source = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        var position = source?.Position ?? 0;
        if (source is not null)
        {
            Apply(source.Contacts());
        }

        Apply(Contacts(store.Scan(position)));
    }

    /// <inheritdoc/>
    public void Appended(IReadOnlyList<LogRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        List<ContactEdge>? edges = null;
        for (var i = 0; i < records.Count; i++)
        {
            if (ContactMessage.TryRead(records[i].Message, out var edge))
            {
                (edges ??= []).Add(edge);
            }
        }

        if (edges is not null)
        {
            Apply(edges);
        }
    }

    /// <summary>Draws edges in order; each stands alone against what its author said before about the same contact.</summary>
    public void Apply(IEnumerable<ContactEdge> edges)
    {
        ArgumentNullException.ThrowIfNull(edges);
        lock (_oneWriter)
        {
            lock (_gate)
            {
                foreach (var edge in edges)
                {
                    Draw(edge);
                }

                Settle();
            }

            RaiseChanges();
        }
    }

    /// <summary>Counts distances up to another limit from now on.</summary>
    public void SetMaxHops(int maxHops)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxHops);
        lock (_oneWriter)
        {
            lock (_gate)
            {
                if (maxHops == MaxHops)
                {
                    return;
                }

                MaxHops = maxHops;
                _stale = true;
                Settle();
            }

            RaiseChanges();
        }
    }

    /// <summary>What <paramref name="author"/> has last said about <paramref name="contact"/>.</summary>
    public ContactState State(FeedId author, FeedId contact)
    {
        lock (_gate)
        {
            return _numbers.TryGetValue(author, out var from) && _numbers.TryGetValue(contact, out var to)
                && _nodes[from].Edges is { } edges && edges.TryGetValue(to, out var state)
                ? state
                : ContactState.None;
        }
    }

    /// <summary>True when the one follows the other.</summary>
    public bool IsFollowing(FeedId author, FeedId contact) => State(author, contact) == ContactState.Following;

    /// <summary>True when the one blocks the other.</summary>
    public bool IsBlocking(FeedId author, FeedId contact) => State(author, contact) == ContactState.Blocking;

    /// <summary>True when the feed is a member: the box follows it.</summary>
    public bool IsFollowing(FeedId feed) => IsFollowing(Box, feed);

    /// <summary>True when the box blocks the feed: it is neither replicated nor let in.</summary>
    public bool IsBlocking(FeedId feed) => IsBlocking(Box, feed);

    /// <summary>
    /// The distance of a feed from the box, or null when it is out of reach. Negative: it is kept away by somebody that
    /// near, -1 by the box itself, which means blocked.
    /// </summary>
    public int? Hops(FeedId feed)
    {
        lock (_gate)
        {
            return _numbers.TryGetValue(feed, out var number) ? Node.Public(_nodes[number].Hops) : null;
        }
    }

    /// <summary>Every feed within reach and its distance from the box, negative ones included.</summary>
    public IReadOnlyList<KeyValuePair<FeedId, int>> AllHops()
    {
        lock (_gate)
        {
            var all = new List<KeyValuePair<FeedId, int>>();
            foreach (var node in _nodes)
            {
                if (Node.Public(node.Hops) is { } hops)
                {
                    all.Add(new(node.Id, hops));
                }
            }

            return all;
        }
    }

    /// <summary>Distances from another feed, or up to another limit; with <paramref name="reverse"/>, to the feed instead of from it.</summary>
    public IReadOnlyList<KeyValuePair<FeedId, int>> AllHops(FeedId start, int maxHops, bool reverse = false)
    {
        lock (_gate)
        {
            var all = new List<KeyValuePair<FeedId, int>>();
            if (!_numbers.TryGetValue(start, out var from))
            {
                all.Add(new(start, 0));
                return all;
            }

            var hops = Count(from, maxHops, reverse ? Reversed() : number => _nodes[number].Edges);
            for (var number = 0; number < hops.Length; number++)
            {
                if (Node.Public(hops[number]) is { } distance)
                {
                    all.Add(new(_nodes[number].Id, distance));
                }
            }

            return all;
        }
    }

    /// <summary>A snapshot of all edges.</summary>
    public IReadOnlyList<ContactEdge> Edges()
    {
        lock (_gate)
        {
            var edges = new List<ContactEdge>();
            foreach (var node in _nodes)
            {
                foreach (var (to, state) in node.Edges ?? [])
                {
                    edges.Add(new(node.Id, _nodes[to].Id, state));
                }
            }

            return edges;
        }
    }

    private static IEnumerable<ContactEdge> Contacts(IEnumerable<LogRecord> records)
    {
        foreach (var record in records)
        {
            if (ContactMessage.TryRead(record.Message, out var edge))
            {
                yield return edge;
            }
        }
    }

    private int Number(FeedId feed)
    {
        if (!_numbers.TryGetValue(feed, out var number))
        {
            number = _nodes.Count;
            _numbers.Add(feed, number);
            _nodes.Add(new Node(feed));
        }

        return number;
    }

    private void Draw(ContactEdge edge)
    {
        var (from, to) = (Number(edge.Author), Number(edge.Contact));
        var edges = _nodes[from].Edges ??= [];
        var former = edges.GetValueOrDefault(to);
        if (former == edge.State)
        {
            return;
        }

        edges[to] = edge.State;
        _edgeChanges.Add(new ContactChange(edge, former));
        if (from == 0 && to != 0)
        {
            if (edge.State == ContactState.Following)
            {
                _members.Add(to);
            }
            else if (former == ContactState.Following)
            {
                _members.Remove(to);
            }
        }

        UpdateHops(from, to, edge.State, former);
    }

    private void RaiseChanges()
    {
        if (_edgeChanges.Count > 0)
        {
            var edges = _edgeChanges.ToArray();
            _edgeChanges.Clear();
            EdgesChanged?.Invoke(edges);
        }

        if (_formerHops.Count > 0)
        {
            var hops = TakeHopsChanges();
            if (hops.Count > 0)
            {
                HopsChanged?.Invoke(hops);
            }
        }
    }

    private sealed class Node(FeedId id)
    {
        public const short Unreached = short.MaxValue;

        public FeedId Id { get; } = id;

        public Dictionary<int, ContactState>? Edges { get; set; }

        public short Hops { get; set; } = Unreached;

        public static int? Public(short hops) => hops == Unreached ? null : hops;
    }
}
