using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Blobs;

/// <summary>
/// The blobs that this box keeps: the store of their bytes, the records about them, and the rules by which one may come in
/// and another has to go.
/// </summary>
/// <remarks>
/// <para>What must stay: what the box or its owner mentions or adds, what is pinned, and what is pushed and not yet spread.</para>
/// <para>Room is made only when a newcomer has arrived whole and with the right hash. Before that it is only judged whether
/// room could be made, so that a peer which announces a large blob and never sends it costs nobody else's picture.</para>
/// <para>When something was last asked for is written down in bulk, for reading a picture must not wear out the disk.</para>
/// </remarks>
public sealed partial class BlobCollection : IDisposable
{
    private static readonly TimeSpan TouchEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan EvictedFor = TimeSpan.FromDays(30);
    private static readonly TimeSpan NoRoomFor = TimeSpan.FromDays(1);
    private static readonly TimeSpan NoRoomHolds = TimeSpan.FromMinutes(10);
    private const int MaxTouched = 1000;
    private const int MaxRefusals = 20_000;

    // The gate covers what comes and goes; the rest has its own, so that questions never wait for the disk.
    private readonly Lock _gate = new();
    private readonly Lock _touchGate = new();
    private readonly Lock _pushGate = new();
    private readonly IBlobStore _store;
    private readonly BlobTable _table;
    private readonly IBlobAuthors _authors;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ITimer _touching;
    private readonly Dictionary<BlobId, DateTimeOffset> _touched = [];
    private readonly ConcurrentDictionary<BlobId, DateTimeOffset> _refused = new();
    private readonly ConcurrentDictionary<BlobId, bool> _denied = new();
    private readonly Dictionary<BlobId, HashSet<FeedId>> _pushes;
    private readonly Dictionary<FeedId, long> _reservedFor = [];
    private volatile BlobLimits _limits;
    private long _reserved;
    private (int Hops, DateTimeOffset Until) _noRoom = (int.MaxValue, default);

    /// <summary>Joins store and records, and makes the records agree with what the store holds.</summary>
    public BlobCollection(IBlobStore store, BlobTable table, BlobLimits limits, IBlobAuthors authors, TimeProvider time, ILogger<BlobCollection> logger)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(time);
        (_store, _table, _limits, _authors, _time, _logger) = (store, table, limits, authors, time, logger);
        var now = time.GetUtcNow();
        table.ForgetRefusals(now);
        foreach (var (id, until) in table.Refusals())
        {
            if (_refused.Count < MaxRefusals)
            {
                _refused[id] = until;
            }
        }

        foreach (var (id, _) in table.Denials())
        {
            _denied[id] = true;
        }

        _pushes = new(table.Pushes());
        Reconcile(now);
        _touching = time.CreateTimer(static self => ((BlobCollection)self!).WriteAccessTimes(), this, TouchEvery, TouchEvery);
    }

    /// <summary>Raised when a blob has come, with its size in bytes; on the thread that brought it.</summary>
    public event Action<BlobId, long>? Added;

    /// <summary>Limits in force.</summary>
    public BlobLimits Limits => _limits;

    /// <summary>Sets other limits, and evicts at once what is beyond them. What must stay does so, even beyond them.</summary>
    /// <param name="total">Bytes kept in all.</param>
    /// <param name="perAuthor">Bytes kept on account of one author.</param>
    public void Reconfigure(long total, long perAuthor)
    {
        lock (_gate)
        {
            _limits = _limits with { Total = total, PerAuthor = perAuthor };
            _noRoom = (int.MaxValue, default);
            foreach (var author in _table.AuthorsBeyond(perAuthor))
            {
                KeepToShare(author, newcomer: default);
            }

            KeepToTotal(newcomer: default, hops: 0);
        }
    }

    /// <summary>The size of a held blob in bytes, or null. A denied blob is not held.</summary>
    public long? Size(BlobId id) => IsDenied(id) ? null : _store.Size(id);

    /// <summary>Opens a held blob and notes that it was asked for; null when it is not held.</summary>
    public Stream? OpenRead(BlobId id)
    {
        if (IsDenied(id) || _store.OpenRead(id) is not { } stream)
        {
            return null;
        }

        lock (_touchGate)
        {
            _touched[id] = _time.GetUtcNow();
            if (_touched.Count < MaxTouched)
            {
                return stream;
            }
        }

        WriteAccessTimes();
        return stream;
    }

    /// <summary>Everything that is held, in the order of ids.</summary>
    public IEnumerable<HeldBlob> List() => _table.List();

    /// <summary>
    /// Judges whether a blob may come in, and if so keeps room for it until the reservation is given back.
    /// </summary>
    /// <param name="id">The blob.</param>
    /// <param name="size">How large it is said to be, in bytes.</param>
    /// <param name="author">On whose account; zero for nobody.</param>
    /// <param name="problem">Why not, in words for the log and for whoever asked for it.</param>
    /// <returns>The reservation; null when the blob may not come in.</returns>
    public BlobReservation? TryReserve(BlobId id, long size, FeedId author, out string problem)
    {
        problem = "";
        if (size >= _limits.MaxSize)
        {
            problem = $"it has {size} bytes, and blobs have less than {_limits.MaxSize}.";
            return null;
        }

        lock (_gate)
        {
            if (_denied.ContainsKey(id))
            {
                problem = "it is denied on this box.";
                return null;
            }

            if (_limits.DiskCanSpare() - _reserved < size)
            {
                problem = "the disk is nearly full.";
                return null;
            }

            var room = _limits.Total - _store.TotalBytes - _reserved - size;
            if (room < 0 && !CouldMakeRoom(HopsOf(author), -room))
            {
                problem = $"the room for blobs, {_limits.Total} bytes, is taken by what must stay or is nearer.";
                return null;
            }

            if (!author.IsZero && !_authors.IsOwn(author)
                && _reservedFor.GetValueOrDefault(author) + size > _limits.PerAuthor)
            {
                problem = $"more than the room of one author, {_limits.PerAuthor} bytes, is on its way.";
                return null;
            }

            _reserved += size;
            _reservedFor[author] = _reservedFor.GetValueOrDefault(author) + size;
            return new BlobReservation(this, author, size);
        }
    }

    /// <summary>Begins to take in bytes; nothing appears before <see cref="CommitAsync"/>.</summary>
    /// <param name="maxBytes">The size that was announced; never more than the limit.</param>
    public IBlobWriter BeginWrite(long maxBytes) => _store.BeginWrite(Math.Min(maxBytes, _limits.MaxSize - 1));

    /// <summary>
    /// Lets a blob that has arrived appear, safely on the disk, after making the room that it needs.
    /// </summary>
    /// <param name="writer">Its bytes.</param>
    /// <param name="expected">The hash that it must have, or null.</param>
    /// <param name="author">On whose account; zero for nobody.</param>
    /// <param name="isMentioned">Whether messages of the author mention it.</param>
    /// <param name="cancellationToken">Gives up before the blob appears.</param>
    /// <exception cref="InvalidDataException">The hash is another.</exception>
    public async ValueTask<(BlobId Id, long Size)> CommitAsync(IBlobWriter writer, BlobId? expected, FeedId author, bool isMentioned, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(writer);
        var (id, size) = await writer.CommitAsync(expected, cancellationToken);
        if (size == 0)
        {
            return (id, size);
        }

        lock (_gate)
        {
            _ = _refused.TryRemove(id, out _);
            _table.Add(id, size, author, isMentioned, _time.GetUtcNow());
            MakeRoom(id, author);
        }

        Added?.Invoke(id, size);
        return (id, size);
    }

    /// <summary>Removes a blob, and does not fetch it again of its own accord. False when it was not held.</summary>
    public bool Remove(BlobId id)
    {
        lock (_gate)
        {
            if (!Drop(id))
            {
                return false;
            }

            Refuse(id, EvictedFor);
            _noRoom = (int.MaxValue, default);
            return true;
        }
    }

    /// <summary>Keeps a held blob whatever happens, or no longer. False when it is not held.</summary>
    public bool Pin(BlobId id, bool pinned) => _table.Pin(id, pinned);

    /// <summary>Removes a blob and never keeps, serves or asks for it again.</summary>
    public void Deny(BlobId id, string reason)
    {
        lock (_gate)
        {
            _denied[id] = true;
            _table.Deny(id, reason, _time.GetUtcNow());
            _table.RemoveWant(id);
            Drop(id);
        }

        LogDenied(id, reason);
    }

    /// <summary>Takes a denial back. False when there was none.</summary>
    public bool Allow(BlobId id)
    {
        lock (_gate)
        {
            return _denied.TryRemove(id, out _) && _table.Allow(id);
        }
    }

    /// <summary>The denied blobs with the reasons.</summary>
    public IReadOnlyList<(BlobId Id, string Reason)> Denials() => _table.Denials();

    /// <summary>Whether a blob is denied.</summary>
    public bool IsDenied(BlobId id) => _denied.ContainsKey(id);

    /// <summary>Whether a blob is not to be fetched now: it was evicted or refused lately, or is denied.</summary>
    public bool IsRefused(BlobId id) =>
        _denied.ContainsKey(id) || (_refused.TryGetValue(id, out var until) && until > _time.GetUtcNow());

    /// <summary>Does not fetch a blob for a day, for want of room.</summary>
    public void RefuseForNow(BlobId id)
    {
        lock (_gate)
        {
            Refuse(id, NoRoomFor);
        }
    }

    /// <summary>Forgets a refusal, because somebody who may asks for the blob.</summary>
    public void ForgetRefusal(BlobId id)
    {
        if (_refused.TryRemove(id, out _))
        {
            _table.ForgetRefusals(default, id);
        }
    }

    /// <summary>Notes that a held blob is mentioned by an author, so that it is on somebody's account.</summary>
    public void Mention(BlobId id, FeedId author) => _table.Mention(id, author);

    /// <summary>The blobs that are being spread.</summary>
    public IReadOnlyList<BlobId> Pushes()
    {
        lock (_pushGate)
        {
            return [.. _pushes.Keys];
        }
    }

    /// <summary>Begins to spread a blob: until enough peers have it, it must stay. False when it is being spread already.</summary>
    public bool Push(BlobId id)
    {
        lock (_pushGate)
        {
            if (!_pushes.TryAdd(id, []))
            {
                return false;
            }

            _table.AddPush(id);
            return true;
        }
    }

    /// <summary>Notes that a peer has a blob. True when it has thereby been spread far enough.</summary>
    public bool PeerHas(BlobId id, FeedId peer)
    {
        lock (_pushGate)
        {
            if (!_pushes.TryGetValue(id, out var peers) || !peers.Add(peer))
            {
                return false;
            }

            if (peers.Count < _limits.PushUntil)
            {
                _table.AddPushPeer(id, peer);
                return false;
            }

            _pushes.Remove(id);
            _table.RemovePush(id);
            return true;
        }
    }

    /// <summary>Writes down when blobs were last asked for.</summary>
    public void WriteAccessTimes()
    {
        Dictionary<BlobId, DateTimeOffset> touched;
        lock (_touchGate)
        {
            if (_touched.Count == 0)
            {
                return;
            }

            touched = new(_touched);
            _touched.Clear();
        }

        _table.Touch(touched);
    }

    /// <summary>Stops, after writing down when blobs were last asked for.</summary>
    public void Dispose()
    {
        _touching.Dispose();
        WriteAccessTimes();
    }

    internal void GiveBack(FeedId author, long size)
    {
        lock (_gate)
        {
            _reserved -= size;
            var left = _reservedFor[author] - size;
            if (left == 0)
            {
                _reservedFor.Remove(author);
            }
            else
            {
                _reservedFor[author] = left;
            }
        }
    }

    private int HopsOf(FeedId author) =>
        author.IsZero ? int.MaxValue : _authors.IsOwn(author) ? 0 : _authors.HopsOf(author) ?? int.MaxValue;

    private int? EvictableHops(HeldBlob blob) =>
        blob.IsPinned || IsPushed(blob.Id) || _authors.IsOwn(blob.Author) ? null : HopsOf(blob.Author);

    private bool IsPushed(BlobId id)
    {
        lock (_pushGate)
        {
            return _pushes.ContainsKey(id);
        }
    }

    private bool CouldMakeRoom(int newcomer, long bytes)
    {
        var now = _time.GetUtcNow();
        if (newcomer >= _noRoom.Hops && now < _noRoom.Until)
        {
            return false;
        }

        if (BlobEviction.Choose(_table.List(), EvictableHops, newcomer, bytes).Bytes >= bytes)
        {
            return true;
        }

        // Looking again for every blob that a peer offers would keep the processor busy for nothing.
        _noRoom = (newcomer, now + NoRoomHolds);
        LogNoRoom(newcomer, _limits.Total);
        return false;
    }

    private void MakeRoom(BlobId newcomer, FeedId author)
    {
        KeepToShare(author, newcomer);
        KeepToTotal(newcomer, HopsOf(author));
    }

    private void KeepToShare(FeedId author, BlobId newcomer)
    {
        if (author.IsZero || _authors.IsOwn(author))
        {
            return;
        }

        var excess = _table.BytesOf(author) - _limits.PerAuthor;
        while (excess > 0)
        {
            var freed = Evict(_table.OldestOf(author, 100), excess, newcomer);
            if (freed == 0)
            {
                break;
            }

            excess -= freed;
        }
    }

    private void KeepToTotal(BlobId newcomer, int hops)
    {
        var missing = _store.TotalBytes - _limits.Total;
        if (missing > 0)
        {
            // A little more than needed, or every further blob would search again.
            var (victims, _) = BlobEviction.Choose(_table.List(), blob => blob.Id == newcomer ? null : EvictableHops(blob), hops, missing + (_limits.Total / 100));
            Evict(victims, missing + (_limits.Total / 100), newcomer);
        }
    }

    private long Evict(IReadOnlyList<HeldBlob> candidates, long bytes, BlobId newcomer)
    {
        var freed = 0L;
        foreach (var blob in candidates)
        {
            if (freed >= bytes)
            {
                break;
            }

            if (blob.Id != newcomer && EvictableHops(blob) is not null && Drop(blob.Id))
            {
                Refuse(blob.Id, EvictedFor);
                freed += blob.Size;
            }
        }

        if (freed > 0)
        {
            LogEvicted(freed);
        }

        return freed;
    }

    private bool Drop(BlobId id)
    {
        lock (_pushGate)
        {
            _pushes.Remove(id);
        }

        lock (_touchGate)
        {
            _touched.Remove(id);
        }

        _table.Remove(id);
        return _store.Remove(id);
    }

    private void Refuse(BlobId id, TimeSpan howLong)
    {
        if (_refused.Count >= MaxRefusals)
        {
            ForgetOldRefusals();
        }

        var until = _time.GetUtcNow() + howLong;
        _refused[id] = until;
        _table.Refuse(id, until);
    }

    private void ForgetOldRefusals()
    {
        var inOrder = _refused.OrderBy(r => r.Value).Take(MaxRefusals / 4).ToList();
        foreach (var (id, _) in inOrder)
        {
            _ = _refused.TryRemove(id, out _);
        }

        _table.ForgetRefusals(inOrder[^1].Value);
    }

    // After a restored backup, or files put there by hand.
    private void Reconcile(DateTimeOffset now)
    {
        var (count, bytes) = _table.Totals();
        var held = _store.List().TryGetNonEnumeratedCount(out var known) ? known : -1;
        if (bytes == _store.TotalBytes && (held < 0 || held == count))
        {
            return;
        }

        _table.InOneGo(() =>
        {
            foreach (var blob in _table.List().ToList())
            {
                if (_store.Size(blob.Id) is null)
                {
                    _table.Remove(blob.Id);
                }
            }

            foreach (var (id, size) in _store.List())
            {
                _table.Add(id, size, default, isMentioned: false, now);
            }
        });
    }

    [LoggerMessage(LogLevel.Information, "Blob {Id} is denied and was removed if it was held: {Reason}")]
    private partial void LogDenied(BlobId id, string reason);

    [LoggerMessage(LogLevel.Information, "Evicted blobs of {Bytes} bytes to make room for newer or nearer ones.")]
    private partial void LogEvicted(long bytes);

    [LoggerMessage(LogLevel.Warning, "There is no room for more blobs of feeds {Hops} hops away: {Total} bytes (blob-quota) are taken by what must stay or is nearer.")]
    private partial void LogNoRoom(int hops, long total);
}

/// <summary>Room kept for a blob on its way; disposed when it has come or failed to.</summary>
public sealed class BlobReservation : IDisposable
{
    private readonly FeedId _author;
    private readonly long _size;
    private BlobCollection? _blobs;

    internal BlobReservation(BlobCollection blobs, FeedId author, long size) => (_blobs, _author, _size) = (blobs, author, size);

    /// <summary>Gives the room back.</summary>
    public void Dispose() => Interlocked.Exchange(ref _blobs, null)?.GiveBack(_author, _size);
}
