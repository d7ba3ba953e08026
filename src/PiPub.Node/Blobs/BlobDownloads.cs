using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Blobs;

/// <summary>
/// Fetches the wanted blobs that peers offer: a few at one time, one from each peer, and from another peer when one fails.
/// </summary>
/// <remarks>
/// References: ssb-blobs 2.0.1 (get), multiblob 1.13.8 (get, add). The request names the size limit, so that a peer refuses
/// before it sends; what is larger than announced, or silent for too long, is cut off; the hash is checked before anything appears.
/// A failing disk stops all fetching for a minute.
/// </remarks>
internal sealed partial class BlobDownloads : IDisposable
{
    private static readonly TimeSpan PauseOnDiskError = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly BlobCollection _blobs;
    private readonly BlobExchange _exchange;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly List<BlobPeer> _peers = [];
    private readonly HashSet<BlobId> _coming = [];
    private readonly ITimer _resume;
    private volatile bool _isDisposed;
    private bool _isPaused;
    private int _next;

    public BlobDownloads(BlobCollection blobs, BlobExchange exchange, TimeProvider time, ILogger logger)
    {
        (_blobs, _exchange, _time, _logger) = (blobs, exchange, time, logger);
        _resume = time.CreateTimer(static self => ((BlobDownloads)self!).Resume(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A peer that may offer something is here.</summary>
    public void Enter(BlobPeer peer)
    {
        lock (_gate)
        {
            _peers.Add(peer);
            Start(); // It may have offered something already: its calls are served on other threads.
        }
    }

    /// <summary>A peer has left.</summary>
    public void Leave(BlobPeer peer)
    {
        lock (_gate)
        {
            _peers.Remove(peer);
        }
    }

    /// <summary>A peer holds a wanted blob.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="id">The blob.</param>
    /// <param name="size">Its size in bytes, or 0 when the peer did not say.</param>
    /// <param name="isOwn">Whether this side itself wants it.</param>
    public void Offer(BlobPeer peer, BlobId id, long size, bool isOwn)
    {
        lock (_gate)
        {
            if (size >= _blobs.Limits.MaxSize || !peer.Offers.Add(id, size, isOwn))
            {
                return;
            }

            Start();
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        _resume.Dispose();
    }

    // Under the lock.
    private void Start()
    {
        for (var looked = 0; looked < _peers.Count && _coming.Count < _blobs.Limits.Downloads && !_isPaused && !_isDisposed; looked++)
        {
            _next = (_next + 1) % _peers.Count;
            var peer = _peers[_next];
            if (!peer.Offers.IsBusy && peer.Offers.TryTake(UseOf, out var offer))
            {
                peer.Offers.IsBusy = true;
                _coming.Add(offer.Id);
                _ = Task.Run(() => FetchAsync(peer, offer.Id, offer.Size));
            }
        }
    }

    private OfferUse UseOf(BlobId id) =>
        !_exchange.IsWanted(id) ? OfferUse.Never : _coming.Contains(id) ? OfferUse.Later : OfferUse.Now;

    private async Task FetchAsync(BlobPeer peer, BlobId id, long size)
    {
        try
        {
            await ReceiveAsync(peer, id, size);
            lock (_gate)
            {
                peer.Offers.Forget(id);
            }
        }
        catch (InvalidDataException fault)
        {
            LogFault(peer.Id, id, fault.Message);
            lock (_gate)
            {
                peer.Offers.Fault();
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException)
        {
            LogFailed(peer.Id, id, error.Message);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Not the peer's fault but our own: the disk is full or failing, or we are being shut down.
            LogDisk(error.Message);
            lock (_gate)
            {
                _isPaused = true;
            }

            _ = _isDisposed || _resume.Change(PauseOnDiskError, Timeout.InfiniteTimeSpan);
        }
        finally
        {
            lock (_gate)
            {
                _coming.Remove(id);
                peer.Offers.IsBusy = false;
                Start();
            }
        }
    }

    private async Task ReceiveAsync(BlobPeer peer, BlobId id, long size)
    {
        var (account, isMentioned) = _exchange.AccountOf(id);
        var max = _blobs.Limits.MaxSize;
        using var room = _blobs.TryReserve(id, size > 0 ? size : max - 1, account, out var problem);
        if (room is null)
        {
            _exchange.Refuse(id, problem);
            return;
        }

        using var silence = new CancellationTokenSource(_blobs.Limits.Silence, _time);
        await using var writer = _blobs.BeginWrite(size > 0 ? size : max - 1);
        var stream = peer.Session.Open("blobs.get", CallType.Source, Request(id, max));
        try
        {
            while (await stream.ReadAsync(silence.Token) is { } body)
            {
                silence.CancelAfter(_blobs.Limits.Silence);
                await writer.WriteAsync(body.Bytes, silence.Token);
            }
        }
        finally
        {
            // In the middle of a blob this tells the peer to stop.
            stream.Complete();
        }

        await _blobs.CommitAsync(writer, id, account, isMentioned, CancellationToken.None);
    }

    private void Resume()
    {
        lock (_gate)
        {
            _isPaused = false;
            Start();
        }
    }

    private static byte[] Request(BlobId id, long max) =>
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""[{"key":"{{id}}","max":{{max}}}]"""));

    [LoggerMessage(LogLevel.Debug, "Peer {Peer} sent wrong bytes for blob {Id}: {Reason}")]
    private partial void LogFault(FeedId peer, BlobId id, string reason);

    [LoggerMessage(LogLevel.Debug, "Peer {Peer} did not give blob {Id}: {Reason}")]
    private partial void LogFailed(FeedId peer, BlobId id, string reason);

    [LoggerMessage(LogLevel.Error, "A blob could not be written, so that no blobs are fetched for a minute: {Reason}")]
    private partial void LogDisk(string reason);
}
