using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>
/// Keeps the box connected with others on its own account: every two seconds it looks which known addresses are due.
/// </summary>
/// <remarks>
/// Rules after ssb-conn 6.0.4 conn-scheduler.js: which address comes next is said in <see cref="DialOrder"/>; after sleep or a
/// change of network nothing has to wait; when all places are taken the oldest connection to a peer that the owner did not
/// ask for is given up after two hours, for another to have its turn, and at once for a neighbour on the local network.
/// Connections that others made are not counted: a pub has those in plenty, and still wants its own.
/// </remarks>
public sealed class ConnectionScheduler : IAsyncDisposable
{
    private const int StagedPerLook = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SavePause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RotationPause = TimeSpan.FromHours(2);

    /// <summary>How long a connection stands, and how long nobody else was asked to go, before it makes room for a neighbour.</summary>
    private static readonly TimeSpan NeighbourPause = TimeSpan.FromSeconds(20);

    /// <summary>A connection that ends sooner has failed: a peer that lets one in and hangs up is not dialled in a loop.</summary>
    private static readonly TimeSpan Standing = TimeSpan.FromSeconds(20);

    /// <summary>The least time between two resets, for a network that comes and goes.</summary>
    private static readonly TimeSpan ResetPause = TimeSpan.FromSeconds(4);

    /// <summary>A look this much too late means that the machine slept.</summary>
    private static readonly TimeSpan Sleep = TimeSpan.FromSeconds(30);

    private readonly PeerServer _server;
    private readonly AddressBook _book;
    private readonly PeerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly DialOrder _order;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task _looking = Task.CompletedTask;
    private int _dialling;
    private long _savedAt;
    private long _rotatedAt;
    private long? _resetAt;
    private volatile bool _reset;

    /// <summary>Joins the parts; <see cref="Start"/> begins.</summary>
    public ConnectionScheduler(
        PeerServer server, AddressBook book, IPeerPolicy policy, PeerOptions options, TimeProvider time, ILogger<ConnectionScheduler> logger, Random? random = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_server, _book, _options, _time, _logger) = (server, book, options, time, logger);
        _order = new DialOrder(server, policy, time, random ?? Random.Shared);
        _savedAt = _rotatedAt = time.GetTimestamp();
    }

    /// <summary>Whether an address is this machine's own; loopback unless the machine's interfaces are known.</summary>
    public Func<IPAddress, bool> IsOwn
    {
        get => _order.IsOwn;
        set => _order.IsOwn = value;
    }

    /// <summary>Whether the machine has a network at all. Without one no internet address is tried, and none is thought worse of.</summary>
    public Func<bool> IsOnline
    {
        get => _order.IsOnline;
        set => _order.IsOnline = value;
    }

    /// <summary>Begins, or begins again after <see cref="StopAsync"/> was not called.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_looking.IsCompleted && !_stopping.IsCancellationRequested)
            {
                _looking = LookAgainAndAgainAsync();
            }
        }
    }

    /// <summary>Lets nothing wait any longer: the machine woke up, or the network is another.</summary>
    public void Reset() => _reset = true;

    /// <summary>Stops dialling and writes down the experience with addresses. Connections stay.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _looking;
        _book.Save();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    /// <summary>Looks once which addresses are due, and dials them.</summary>
    internal void Look()
    {
        _book.TakeStaged(StagedPerLook);
        var addresses = _book.All;
        if (_reset && (_resetAt is not { } last || _time.GetElapsedTime(last) >= ResetPause))
        {
            _reset = false;
            _resetAt = _time.GetTimestamp();
            foreach (var address in addresses)
            {
                address.LastAttempt = null;
            }
        }

        var standing = _server.OutgoingCount + Volatile.Read(ref _dialling);
        var free = _options.MaxOutgoing - standing;
        var due = _order.Due(addresses, _options.MaxOutgoing == 0 ? 1 : (double)standing / _options.MaxOutgoing);
        if (free <= 0 && due.Count > 0)
        {
            MakeRoom(addresses, forNeighbour: DialOrder.IsLocal(due[0]));
        }

        foreach (var address in due.Take(Math.Max(0, free)))
        {
            _ = DialAsync(address);
        }

        if (_time.GetElapsedTime(_savedAt) >= SavePause)
        {
            _savedAt = _time.GetTimestamp();
            _book.Save();
        }
    }

    private async Task DialAsync(BookedAddress address)
    {
        address.IsBusy = true;
        address.LastAttempt = _time.GetTimestamp();
        Interlocked.Increment(ref _dialling);
        try
        {
            var peer = await _server.ConnectAsync(address.Address, address.Source is AddressSource.PubMessage or AddressSource.Invite, _stopping.Token);
            var (failures, since) = (address.Failures, _time.GetTimestamp());
            address.Failures = 0;
            address.ConnectedAt = _time.GetUtcNow();
            _ = peer.Session.Closed.UnsafeRegister(
                _ =>
                {
                    if (_time.GetElapsedTime(since) < Standing)
                    {
                        address.Failures = failures + 1;
                    }

                    Ended(address);
                },
                null);
        }
        catch (PeerConnectException)
        {
            // The server has noted why.
            address.Failures++;
            Ended(address);
        }
        catch (OperationCanceledException)
        {
            Ended(address);
        }
        finally
        {
            address.IsDirty = true;
            Interlocked.Decrement(ref _dialling);
        }
    }

    private void Ended(BookedAddress address)
    {
        address.LastAttempt = _time.GetTimestamp();
        address.IsBusy = false;
    }

    private void MakeRoom(IReadOnlyList<BookedAddress> addresses, bool forNeighbour)
    {
        var least = forNeighbour ? NeighbourPause : RotationPause;
        if (_time.GetElapsedTime(_rotatedAt) < least)
        {
            return;
        }

        BookedAddress? oldest = null;
        foreach (var address in addresses)
        {
            if (address is { IsBusy: true, Source: not AddressSource.Owner } && !(forNeighbour && DialOrder.IsLocal(address))
                && _server.Peers.FindConnected(address.Feed) is { IsOutgoing: true }
                && (oldest is null || address.ConnectedAt < oldest.ConnectedAt))
            {
                oldest = address;
            }
        }

        if (oldest?.ConnectedAt is { } since && _time.GetUtcNow() - since >= least)
        {
            _rotatedAt = _time.GetTimestamp();
            _ = _server.DisconnectAsync(oldest.Feed);
        }
    }

    private async Task LookAgainAndAgainAsync()
    {
        var last = _time.GetUtcNow();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Look();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                PeerLog.SchedulingFailed(_logger, e);
            }

            try
            {
                await Task.Delay(Pause, _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            var now = _time.GetUtcNow();
            if (now - last > Sleep)
            {
                Reset();
            }

            last = now;
        }
    }
}
