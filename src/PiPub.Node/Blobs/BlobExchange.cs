using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Blobs;

/// <summary>
/// Tells every peer which blobs are wanted here and which wanted ones are held, hears the same from them, and has what is
/// wanted fetched.
/// </summary>
/// <remarks>
/// <para>References: SSB protocol guide, Blobs; ssb-blobs 2.0.1 inject.js.</para>
/// <para>Both sides open <c>blobs.createWants</c> at the other. What is heard on one's own call is answered on the other's: a
/// held blob with its size, any other by wanting it too, out of sympathy. A peer that does not offer createWants is asked with
/// <c>blobs.has</c> and listened to with <c>blobs.changes</c>.</para>
/// <para>A pushed blob is one that this side holds and claims to want, until enough peers say that they have it.</para>
/// </remarks>
public sealed partial class BlobExchange : IPeerService, IDisposable
{
    private static readonly TimeSpan WantsLast = TimeSpan.FromDays(90);
    private const int LegacyBatch = 100;

    // What a peer may say about blobs: the first list of a large pub, and then what changes.
    private const int NewsAtOnce = 1024 * 1024;
    private const int NewsASecond = 32 * 1024;

    private readonly Lock _gate = new();
    private readonly BlobCollection _blobs;
    private readonly BlobTable _table;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlobDownloads _downloads;
    private readonly BlobWants _wants;
    private readonly ConcurrentDictionary<IRpcSession, BlobPeer> _peers = new();
    private readonly Dictionary<BlobId, FeedId> _askedBy = [];
    private readonly Dictionary<BlobId, List<TaskCompletionSource>> _waiting = [];
    private (BlobId Id, int Distance)[]? _all;
    private int _wantsSinceTrim;

    /// <summary>Takes up the wants of the last run.</summary>
    public BlobExchange(BlobCollection blobs, BlobTable table, TimeProvider time, ILogger<BlobExchange> logger)
    {
        ArgumentNullException.ThrowIfNull(blobs);
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(time);
        (_blobs, _table, _time, _logger) = (blobs, table, time, logger);
        _downloads = new BlobDownloads(blobs, this, time, logger);
        _wants = new BlobWants(blobs.Limits.Sympathy);
        table.TrimWants(time.GetUtcNow() - WantsLast, blobs.Limits.MaxWants);
        foreach (var id in table.Wants())
        {
            _wants.Want(id);
        }

        blobs.Added += OnAdded;
    }

    /// <summary>How many blobs are wanted, for oneself and for others.</summary>
    public int WantCount
    {
        get
        {
            lock (_gate)
            {
                return _wants.Count;
            }
        }
    }

    /// <summary>Exchanges wants with a peer for as long as it is connected.</summary>
    public async Task RunAsync(Peer peer, CancellationToken connectionEnded)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var there = Enter(peer.Session);
        var heard = false;
        try
        {
            var stream = peer.Session.Open("blobs.createWants", CallType.Source, "[]"u8.ToArray());
            var pace = new InputPace(NewsAtOnce, NewsASecond, _time);
            while (await stream.ReadAsync(connectionEnded) is { } item)
            {
                heard = true;
                Hear(there, item);
                await pace.TakeAsync(item.Bytes.Length, connectionEnded);
            }
        }
        catch (RpcException refusal) when (!heard && !connectionEnded.IsCancellationRequested)
        {
            LogLegacy(peer.Id, refusal.Message);
            await ExchangeTheOldWayAsync(there, connectionEnded);
        }
    }

    /// <summary>Serves <c>blobs.createWants</c>: all wants first (<c>{}</c> when there is none), then news.</summary>
    public async Task TellAsync(IRpcSession session, RpcStream stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var peer = Enter(session);
        var listener = peer.Listen();
        var writer = new WantsWriter();
        var isFirst = true;
        while (peer.Take(listener) is { } news)
        {
            foreach (var (id, number) in news.All ? Everything() : [])
            {
                await AddAsync(id, number);
            }

            foreach (var (id, number) in news.News)
            {
                await AddAsync(id, number);
            }

            if (writer.Count > 0 || isFirst)
            {
                await stream.WriteAsync(BodyType.Json, writer.End(), cancellationToken);
                writer.Clear();
            }

            isFirst = false;
            await peer.Signal.WaitAsync(cancellationToken);
        }

        async ValueTask AddAsync(BlobId id, long number)
        {
            writer.Add(id, number);
            if (writer.Count == WantsWriter.EntriesPerItem)
            {
                await stream.WriteAsync(BodyType.Json, writer.End(), cancellationToken);
                writer.Clear();
                isFirst = false;
            }
        }
    }

    /// <summary>
    /// A peer wants a blob, heard on its stream or as a call of <c>blobs.has</c>. Returns the size when it is held; else it is
    /// wanted from now on out of sympathy.
    /// </summary>
    public long? HearWant(IRpcSession session, BlobId id, long distance) => HearWant(Enter(session), id, distance);

    /// <summary>Wants a blob for the box itself, also when it was refused before.</summary>
    /// <param name="id">The blob.</param>
    /// <param name="author">On whose account.</param>
    public void Want(BlobId id, FeedId author)
    {
        if (_blobs.Size(id) is not null || _blobs.IsDenied(id))
        {
            return;
        }

        _blobs.ForgetRefusal(id);
        _table.AddWant(id, author, _time.GetUtcNow());
        lock (_gate)
        {
            if (!_wants.Want(id))
            {
                return;
            }

            _all = null;
        }

        Broadcast(id, BlobWants.Own);
    }

    /// <summary>Wants a blob for the box itself and waits until it is here.</summary>
    /// <exception cref="RpcException">It is denied, or there is no room for it.</exception>
    public async Task WantAsync(BlobId id, FeedId author, CancellationToken cancellationToken)
    {
        if (_blobs.IsDenied(id))
        {
            throw new RpcException($"blob {id} is denied on this box.");
        }

        var arrival = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (!_waiting.TryGetValue(id, out var waiting))
            {
                _waiting.Add(id, waiting = []);
            }

            waiting.Add(arrival);
        }

        try
        {
            Want(id, author);
            if (_blobs.Size(id) is null)
            {
                await arrival.Task.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            lock (_gate)
            {
                if (_waiting.TryGetValue(id, out var waiting) && waiting.Remove(arrival) && waiting.Count == 0)
                {
                    _waiting.Remove(id);
                }
            }
        }
    }

    /// <summary>Spreads a blob: claims to want it until enough peers have it. What is not held yet is wanted in truth.</summary>
    public void Push(BlobId id, FeedId author)
    {
        Want(id, author);
        if (_blobs.Push(id))
        {
            lock (_gate)
            {
                _all = null;
            }

            Broadcast(id, BlobWants.Own);
        }
    }

    /// <summary>
    /// Takes note of blobs that messages mention, in one transaction together with how far the log was read.
    /// </summary>
    public void Mention(IReadOnlyList<(BlobId Id, FeedId Author)> mentions, long cursor)
    {
        ArgumentNullException.ThrowIfNull(mentions);
        var held = new List<(BlobId Id, FeedId Author)>();
        var missing = new List<(BlobId Id, FeedId Author)>();
        foreach (var mention in mentions)
        {
            if (_blobs.Size(mention.Id) is { } size)
            {
                if (size > 0)
                {
                    held.Add(mention);
                }
            }
            else if (!_blobs.IsRefused(mention.Id))
            {
                missing.Add(mention);
            }
        }

        var news = new List<BlobId>();
        _table.InOneGo(() =>
        {
            var now = _time.GetUtcNow();
            foreach (var (id, author) in held)
            {
                _table.Mention(id, author);
            }

            foreach (var (id, author) in missing)
            {
                if (_table.AddWant(id, author, now))
                {
                    news.Add(id);
                }
            }

            _table.Cursor = cursor;
        });
        lock (_gate)
        {
            news.RemoveAll(id => !_wants.Want(id));
            _all = null;
            _wantsSinceTrim += news.Count;
        }

        foreach (var id in news)
        {
            Broadcast(id, BlobWants.Own);
        }

        Trim();
    }

    /// <summary>Wants a blob no more, for good reasons that whoever waits for it is told.</summary>
    public void Refuse(BlobId id, string problem)
    {
        LogRefused(id, problem);
        _blobs.RefuseForNow(id);
        Forget(id, new RpcException($"blob {id} cannot be kept: {problem}"));
    }

    /// <summary>Removes a blob and never keeps, serves or asks for it again.</summary>
    public void Deny(BlobId id, string reason)
    {
        _blobs.Deny(id, reason);
        Forget(id, new RpcException($"blob {id} is denied on this box."));
    }

    /// <summary>Waits until another blob may be sent over a connection. Dispose what is returned when it has been.</summary>
    public async ValueTask<IDisposable> TakeTurnAsync(IRpcSession session, CancellationToken cancellationToken)
    {
        var peer = Enter(session);
        await peer.Sending.WaitAsync(cancellationToken);
        return new Turn(peer.Sending);
    }

    /// <summary>Stops.</summary>
    public void Dispose()
    {
        _blobs.Added -= OnAdded;
        _downloads.Dispose();
    }

    internal bool IsWanted(BlobId id)
    {
        lock (_gate)
        {
            return _wants.DistanceOf(id) < 0;
        }
    }

    /// <summary>On whose account a wanted blob goes: who mentioned it, else the peer that asked, else nobody.</summary>
    internal (FeedId Author, bool IsMentioned) AccountOf(BlobId id)
    {
        if (_table.WantedFor(id) is { } author)
        {
            return (author, true);
        }

        lock (_gate)
        {
            return (_askedBy.GetValueOrDefault(id), false);
        }
    }

    private BlobPeer Enter(IRpcSession session)
    {
        if (_peers.TryGetValue(session, out var known))
        {
            return known;
        }

        var peer = new BlobPeer(session);
        if (!_peers.TryAdd(session, peer))
        {
            peer.Dispose();
            return _peers[session];
        }

        _downloads.Enter(peer);
        session.Closed.Register(() =>
        {
            // Not disposed: a method that is still being served may hold it.
            _peers.TryRemove(session, out _);
            _downloads.Leave(peer);
        });
        return peer;
    }

    private void Hear(BlobPeer peer, RpcBody item)
    {
        if (item.Type != BodyType.Json)
        {
            return;
        }

        var reader = new WantsReader(item.Bytes.Span);
        try
        {
            while (reader.Read())
            {
                if (reader.Number > 0)
                {
                    HearHas(peer, reader.Id, reader.Number);
                }
                else if (HearWant(peer, reader.Id, reader.Number) is { } size && size > 0)
                {
                    peer.Tell(reader.Id, size);
                }
            }
        }
        catch (JsonException broken)
        {
            throw new InvalidDataException("The peer's list of wanted blobs is no JSON.", broken);
        }
    }

    private long? HearWant(BlobPeer peer, BlobId id, long distance)
    {
        if (_blobs.Size(id) is { } size)
        {
            return size;
        }

        if (_blobs.IsRefused(id) || !peer.MaySympathise())
        {
            return null;
        }

        int told;
        lock (_gate)
        {
            told = _wants.Sympathise(id, distance);
            if (told != 0)
            {
                _all = null;
                if (distance == BlobWants.Own)
                {
                    _askedBy[id] = peer.Id;
                }
            }
        }

        if (told != 0)
        {
            Broadcast(id, told);
        }

        return null;
    }

    private void HearHas(BlobPeer peer, BlobId id, long size)
    {
        if (_blobs.PeerHas(id, peer.Id))
        {
            LogSpread(id, _blobs.Limits.PushUntil);
            lock (_gate)
            {
                _all = null;
            }
        }

        int distance;
        lock (_gate)
        {
            distance = _wants.DistanceOf(id);
        }

        if (distance < 0)
        {
            _downloads.Offer(peer, id, size, distance == BlobWants.Own);
        }
    }

    private async Task ExchangeTheOldWayAsync(BlobPeer peer, CancellationToken connectionEnded)
    {
        var asking = AskForWantsAsync(peer, connectionEnded);
        var changes = peer.Session.Open("blobs.changes", CallType.Source, "[]"u8.ToArray());
        while (await changes.ReadAsync(connectionEnded) is { } change)
        {
            if (change.ToJson() is { ValueKind: JsonValueKind.String } text && BlobId.TryParse(text.GetString().AsSpan(), out var id))
            {
                HearHas(peer, id, 0);
            }
        }

        await asking;
    }

    private async Task AskForWantsAsync(BlobPeer peer, CancellationToken connectionEnded)
    {
        var listener = peer.Listen();
        while (peer.Take(listener) is { } news)
        {
            var wanted = news.All ? Everything().Select(want => want.Id).ToList() : [];
            wanted.AddRange(news.News.Where(n => n.Value < 0).Select(n => n.Key));
            foreach (var batch in wanted.Chunk(LegacyBatch))
            {
                var args = Encoding.ASCII.GetBytes("[[\"" + string.Join("\",\"", batch) + "\"]]");
                var answer = (await peer.Session.CallAsync("blobs.has", args, connectionEnded)).ToJson();
                for (var i = 0; answer.ValueKind == JsonValueKind.Array && i < Math.Min(batch.Length, answer.GetArrayLength()); i++)
                {
                    if (answer[i].ValueKind == JsonValueKind.True)
                    {
                        HearHas(peer, batch[i], 0);
                    }
                }
            }

            await peer.Signal.WaitAsync(connectionEnded);
        }
    }

    private void OnAdded(BlobId id, long size)
    {
        Forget(id, null);
        Broadcast(id, size);
    }

    private void Forget(BlobId id, RpcException? problem)
    {
        List<TaskCompletionSource>? waiting;
        lock (_gate)
        {
            if (_wants.Forget(id))
            {
                _all = null;
            }

            _askedBy.Remove(id);
            _waiting.Remove(id, out waiting);
        }

        foreach (var arrival in waiting ?? [])
        {
            if (problem is null)
            {
                arrival.TrySetResult();
            }
            else
            {
                arrival.TrySetException(problem);
            }
        }
    }

    private void Broadcast(BlobId id, long number)
    {
        foreach (var (_, peer) in _peers)
        {
            if (peer.IsListening)
            {
                peer.Tell(id, number);
            }
        }
    }

    // All wants and pushes, in one array that all peers who come at the same time share.
    private (BlobId Id, int Distance)[] Everything()
    {
        lock (_gate)
        {
            if (_all is null)
            {
                var pushes = _blobs.Pushes();
                var all = new List<(BlobId, int)>(_wants.Count + pushes.Count);
                foreach (var (id, distance) in _wants.All)
                {
                    all.Add((id, distance));
                }

                foreach (var id in pushes)
                {
                    if (_wants.DistanceOf(id) == 0)
                    {
                        all.Add((id, BlobWants.Own));
                    }
                }

                _all = [.. all];
            }

            return _all;
        }
    }

    // Now and then the oldest wants beyond the limit are dropped.
    private void Trim()
    {
        lock (_gate)
        {
            if (_wantsSinceTrim < 1000)
            {
                return;
            }

            _wantsSinceTrim = 0;
        }

        if (_table.TrimWants(_time.GetUtcNow() - WantsLast, _blobs.Limits.MaxWants) == 0)
        {
            return;
        }

        var left = _table.Wants().ToHashSet();
        lock (_gate)
        {
            foreach (var (id, distance) in _wants.All.ToList())
            {
                if (distance == BlobWants.Own && !left.Contains(id))
                {
                    _wants.Forget(id);
                }
            }

            _all = null;
        }
    }

    private sealed class Turn(SemaphoreSlim sending) : IDisposable
    {
        public void Dispose() => sending.Release();
    }

    [LoggerMessage(LogLevel.Debug, "Peer {Peer} does not exchange wants ({Reason}); it is asked for each blob instead.")]
    private partial void LogLegacy(FeedId peer, string reason);

    [LoggerMessage(LogLevel.Debug, "Blob {Id} has been spread to {Peers} peers.")]
    private partial void LogSpread(BlobId id, int peers);

    [LoggerMessage(LogLevel.Debug, "Blob {Id} is not fetched: {Reason}")]
    private partial void LogRefused(BlobId id, string reason);
}
