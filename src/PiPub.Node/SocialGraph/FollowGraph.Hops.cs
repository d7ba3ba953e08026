namespace PiPub.Node.SocialGraph;

/// <content>
/// Distances. A feed at distance h that is neither kept away nor at the limit gives those it follows h+1, those it blocks
/// -(h+1), those it has turned away from -(h+2); of what a feed is given, the nearest counts, and of two as near the
/// positive one. A follow is carried on from where it is drawn; what takes away is counted anew, once a batch.
/// </content>
public sealed partial class FollowGraph
{
    private readonly Queue<int> _nearer = new();
    private bool _stale;

    private static short Given(short hops, ContactState state) => state switch
    {
        ContactState.Following => (short)(hops + 1),
        ContactState.Blocking => (short)(-hops - 1),
        _ => (short)(-hops - 2),
    };

    /// <summary>Whether <paramref name="hops"/> counts before <paramref name="other"/>.</summary>
    private static bool IsNearer(short hops, short other) =>
        Math.Abs(hops) < Math.Abs(other) || (hops == -other && hops > 0);

    private static bool Expands(short hops, int maxHops) => hops >= 0 && hops < maxHops;

    private void UpdateHops(int from, int to, ContactState state, ContactState former)
    {
        var hops = _nodes[from].Hops;
        if (_stale || from == to || to == 0 || !Expands(hops, MaxHops))
        {
            return;
        }

        var given = Given(hops, state);
        if (state == ContactState.Following)
        {
            Offer(to, given);
            CarryOn();
        }
        else if (former == ContactState.None)
        {
            Offer(to, given);
        }
        else if (_nodes[to].Hops == Given(hops, former) || IsNearer(given, _nodes[to].Hops))
        {
            _stale = true;
        }
    }

    /// <summary>Gives a node a distance if it counts before the one it has.</summary>
    private void Offer(int number, short hops)
    {
        var node = _nodes[number];
        if (number == 0 || !IsNearer(hops, node.Hops))
        {
            return;
        }

        if (hops < 0 && Expands(node.Hops, MaxHops))
        {
            _stale = true; // It led to others, and does no more: what they were given through it has to be found out.
            return;
        }

        _formerHops.TryAdd(number, node.Hops);
        node.Hops = hops;
        if (Expands(hops, MaxHops))
        {
            _nearer.Enqueue(number);
        }
    }

    private void CarryOn()
    {
        while (_nearer.TryDequeue(out var number))
        {
            var node = _nodes[number];
            foreach (var (to, state) in node.Edges ?? [])
            {
                Offer(to, Given(node.Hops, state));
            }
        }
    }

    private void Settle()
    {
        if (!_stale)
        {
            return;
        }

        _stale = false;
        var hops = Count(0, MaxHops, number => _nodes[number].Edges);
        for (var number = 0; number < hops.Length; number++)
        {
            if (_nodes[number].Hops != hops[number])
            {
                _formerHops.TryAdd(number, _nodes[number].Hops);
                _nodes[number].Hops = hops[number];
            }
        }
    }

    /// <summary>Counts all distances from a node, level by level.</summary>
    private short[] Count(int start, int maxHops, Func<int, Dictionary<int, ContactState>?> edges)
    {
        var hops = new short[_nodes.Count];
        Array.Fill(hops, Node.Unreached);
        hops[start] = 0;
        var (level, next) = (new List<int> { start }, new List<int>());
        for (short distance = 0; distance < maxHops && level.Count > 0; distance++)
        {
            foreach (var from in level)
            {
                foreach (var (to, state) in edges(from) ?? [])
                {
                    var given = Given(distance, state);
                    if (to != start && IsNearer(given, hops[to]))
                    {
                        hops[to] = given;
                        if (given > 0)
                        {
                            next.Add(to);
                        }
                    }
                }
            }

            (level, next) = (next, level);
            next.Clear();
        }

        return hops;
    }

    private Func<int, Dictionary<int, ContactState>?> Reversed()
    {
        var reversed = new Dictionary<int, Dictionary<int, ContactState>>();
        for (var from = 0; from < _nodes.Count; from++)
        {
            foreach (var (to, state) in _nodes[from].Edges ?? [])
            {
                if (!reversed.TryGetValue(to, out var sources))
                {
                    reversed.Add(to, sources = []);
                }

                sources[from] = state;
            }
        }

        return number => reversed.GetValueOrDefault(number);
    }

    private List<HopsChange> TakeHopsChanges()
    {
        var changes = new List<HopsChange>();
        foreach (var (number, former) in _formerHops)
        {
            var node = _nodes[number];
            if (node.Hops != former)
            {
                changes.Add(new HopsChange(node.Id, Node.Public(node.Hops), Node.Public(former)));
            }
        }

        _formerHops.Clear();
        return changes;
    }
}
