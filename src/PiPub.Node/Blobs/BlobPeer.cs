using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Blobs;

/// <summary>
/// What is to be told to one connection about blobs, and what it has offered.
/// </summary>
/// <remarks>
/// News wait here until the peer listens and its connection has room, and newer news about a blob replace older ones: a slow
/// peer costs a bounded amount of memory, and nobody waits for it. When too much has gathered, the peer is told all wants anew instead.
/// </remarks>
internal sealed class BlobPeer(IRpcSession session) : IDisposable
{
    /// <summary>How many wants of one peer are taken over during one connection.</summary>
    private const int MaxSympathy = 5000;
    private const int MaxNews = 5000;

    private readonly Lock _gate = new();
    private Dictionary<BlobId, long> _news = [];
    private bool _needsAll;
    private int _listener;
    private int _sympathy;

    public IRpcSession Session => session;

    public FeedId Id => session.Remote;

    /// <summary>Whether the peer listens to wants; before, and with peers of another kind, only answers gather.</summary>
    public bool IsListening { get; private set; }

    /// <summary>Released when there are news.</summary>
    public SemaphoreSlim Signal { get; } = new(0);

    /// <summary>How many blobs are sent over this connection at one time.</summary>
    public SemaphoreSlim Sending { get; } = new(4);

    /// <summary>What it offered, for <see cref="BlobDownloads"/> alone.</summary>
    public BlobOffers Offers { get; } = new();

    /// <summary>Begins to listen: everything wanted is told first. Ends what listened before.</summary>
    public int Listen()
    {
        lock (_gate)
        {
            IsListening = true;
            _needsAll = true;
            Release();
            return ++_listener;
        }
    }

    /// <summary>Tells the peer of a want (below zero) or of a blob that is held (its size).</summary>
    public void Tell(BlobId id, long number)
    {
        lock (_gate)
        {
            if (number < 0 && (!IsListening || _needsAll))
            {
                _news.Remove(id);
                return; // It is told with everything.
            }

            if (_news.Count >= MaxNews && !_news.ContainsKey(id))
            {
                DropWants();
                if (number < 0 || _news.Count >= MaxNews)
                {
                    return; // So many answers are not used in one connection: the peer asks again in its next.
                }
            }

            _news[id] = number;
            Release();
        }
    }

    /// <summary>Takes what there is to tell. Null when something else listens now.</summary>
    public (bool All, Dictionary<BlobId, long> News)? Take(int listener)
    {
        lock (_gate)
        {
            if (listener != _listener)
            {
                return null;
            }

            var taken = (_needsAll, _news);
            _needsAll = false;
            _news = _news.Count == 0 ? _news : [];
            return taken;
        }
    }

    /// <summary>Whether another want of this peer may be taken over.</summary>
    public bool MaySympathise()
    {
        lock (_gate)
        {
            return _sympathy++ < MaxSympathy;
        }
    }

    public void Dispose()
    {
        Signal.Dispose();
        Sending.Dispose();
    }

    // What is wanted can be told again; an answer cannot.
    private void DropWants()
    {
        foreach (var (id, number) in _news)
        {
            if (number < 0)
            {
                _needsAll = true;
                _news.Remove(id);
            }
        }

        Release();
    }

    private void Release()
    {
        if (Signal.CurrentCount == 0)
        {
            Signal.Release();
        }
    }
}

/// <summary>The blobs that a peer offers and this side wants, own wants before those of others.</summary>
internal sealed class BlobOffers
{
    private const int MaxWaiting = 10_000;
    private const int MaxFaults = 3;

    private readonly Queue<(BlobId Id, long Size)> _own = [];
    private readonly Queue<(BlobId Id, long Size)> _others = [];
    private readonly HashSet<BlobId> _known = [];
    private int _faults;

    /// <summary>Whether a blob is coming from this peer just now.</summary>
    public bool IsBusy { get; set; }

    /// <summary>
    /// Notes an offer. What failed once is not tried again on this connection, and nothing is taken from a peer that sent wrong
    /// bytes again and again.
    /// </summary>
    public bool Add(BlobId id, long size, bool isOwn)
    {
        if (_faults >= MaxFaults || _known.Count >= MaxWaiting || !_known.Add(id))
        {
            return false;
        }

        (isOwn ? _own : _others).Enqueue((id, size));
        return true;
    }

    /// <summary>The blob came, or this side could not take it: the peer may offer it again one day.</summary>
    public void Forget(BlobId id) => _known.Remove(id);

    /// <summary>The peer sent what it had not promised.</summary>
    public void Fault() => _faults++;

    /// <summary>Takes the next offer that may be used now; those that may later stay.</summary>
    public bool TryTake(Func<BlobId, OfferUse> use, out (BlobId Id, long Size) offer) =>
        TryTake(_own, use, out offer) || TryTake(_others, use, out offer);

    private bool TryTake(Queue<(BlobId Id, long Size)> queue, Func<BlobId, OfferUse> use, out (BlobId Id, long Size) offer)
    {
        for (var left = _faults >= MaxFaults ? 0 : queue.Count; left > 0; left--)
        {
            offer = queue.Dequeue();
            switch (use(offer.Id))
            {
                case OfferUse.Now:
                    return true;
                case OfferUse.Later:
                    queue.Enqueue(offer);
                    break;
                default:
                    // It may be wanted again, and offered again.
                    _known.Remove(offer.Id);
                    break;
            }
        }

        offer = default;
        return false;
    }
}

/// <summary>What to do with an offer.</summary>
internal enum OfferUse
{
    /// <summary>Fetch it.</summary>
    Now,

    /// <summary>It is coming from another peer; should that fail, this one is next.</summary>
    Later,

    /// <summary>It is not wanted.</summary>
    Never,
}
