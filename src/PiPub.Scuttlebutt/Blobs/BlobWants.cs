using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Blobs;

/// <summary>
/// The blobs that this side wants, and how badly: the rules by which wants travel, without any peer or file.
/// Not safe for several threads at once.
/// </summary>
/// <remarks>
/// <para>References: SSB protocol guide, Blobs; ssb-blobs 2.0.1 inject.js (registerWant, sympatheticGet, registerHas).</para>
/// <para>Distance -1 is a want of this box, -2 one of a peer, -3 one of a peer's peer. A peer's want at distance n is taken
/// over at n-1 while that is no farther than the sympathy, 3 by default.</para>
/// <para>One thing differs from ssb-blobs: there, a peer's want can push an own want farther away (the comparison is the wrong
/// way round); here the nearest distance always stays.</para>
/// <para>Wants taken over are bounded in number: the oldest gives way, for peers that still want it say so again when they
/// connect. Own wants are bounded by whoever raises them.</para>
/// </remarks>
public sealed class BlobWants
{
    /// <summary>The distance of a want of this side itself.</summary>
    public const int Own = -1;

    private readonly int _sympathy;
    private readonly int _maxSympathetic;
    private readonly Dictionary<BlobId, int> _distances = [];
    private readonly Queue<BlobId> _order = [];
    private int _sympathetic;

    /// <summary>An empty list.</summary>
    /// <param name="sympathy">How far, in peers, the origin of a want may be for this side to take it over; 0 takes over none.</param>
    /// <param name="maxSympathetic">How many wants of others are held at most.</param>
    public BlobWants(int sympathy = 3, int maxSympathetic = 10_000)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sympathy);
        _sympathy = sympathy;
        _maxSympathetic = maxSympathetic;
    }

    /// <summary>How many blobs are wanted in all.</summary>
    public int Count => _distances.Count;

    /// <summary>Every wanted blob with its distance.</summary>
    public IReadOnlyDictionary<BlobId, int> All => _distances;

    /// <summary>The distance at which a blob is wanted, or 0 when it is not.</summary>
    public int DistanceOf(BlobId id) => _distances.GetValueOrDefault(id);

    /// <summary>Wants a blob for this side itself. True when that is news to tell the peers.</summary>
    public bool Want(BlobId id) => Register(id, Own);

    /// <summary>
    /// A peer that wants a blob at distance <paramref name="theirs"/> was heard, and it is not held here.
    /// </summary>
    /// <returns>The distance at which to tell all peers of it, that one included: a peer that pushes a blob pretends to want
    /// it, and hands it to whoever asks. 0 when there is nothing to tell.</returns>
    public int Sympathise(BlobId id, long theirs)
    {
        if (theirs >= 0 || theirs - 1 < -_sympathy)
        {
            return 0;
        }

        var distance = (int)(theirs - 1);
        if (!Register(id, distance))
        {
            return 0;
        }

        while (_sympathetic > _maxSympathetic && _order.TryDequeue(out var oldest))
        {
            if (_distances.GetValueOrDefault(oldest) < Own)
            {
                Forget(oldest);
            }
        }

        return distance;
    }

    /// <summary>Stops wanting a blob: it has come, or it is refused.</summary>
    public bool Forget(BlobId id)
    {
        if (!_distances.Remove(id, out var distance))
        {
            return false;
        }

        if (distance != Own)
        {
            _sympathetic--;
        }

        return true;
    }

    private bool Register(BlobId id, int distance)
    {
        if (_distances.TryGetValue(id, out var known))
        {
            if (known >= distance)
            {
                return false;
            }

            if (known != Own && distance == Own)
            {
                _sympathetic--;
            }
        }
        else if (distance != Own)
        {
            _sympathetic++;
            Enqueue(id);
        }

        _distances[id] = distance;
        return true;
    }

    // What was forgotten in the meantime stays in the queue until there is too much of it.
    private void Enqueue(BlobId id)
    {
        if (_order.Count > 2 * _maxSympathetic)
        {
            for (var left = _order.Count; left > 0; left--)
            {
                var known = _order.Dequeue();
                if (_distances.GetValueOrDefault(known) < Own)
                {
                    _order.Enqueue(known);
                }
            }
        }

        _order.Enqueue(id);
    }
}
