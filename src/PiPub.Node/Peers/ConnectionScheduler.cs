using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>
/// Keeps the box connected with others on its own account: every two seconds it looks which known addresses are due.
/// </summary>
/// <remarks>
/// Rules after ssb-conn 6.0.4 conn-scheduler.js: pauses grow with failures (<see cref="ConnectionBackoff"/>); addresses that the
/// network told of are dialled only when public and when their feed is in the social graph; blocked peers are not;
/// after sleep or a change of network nothing has to wait; when all places are taken the oldest connection to a peer that
/// the owner did not ask for is given up after two hours, for another to have its turn. Connections that others made are
/// not counted: a pub has those in plenty, and still wants its own.
/// </remarks>
public sealed class ConnectionScheduler : IAsyncDisposable
{
    private const int StagedPerLook = 8;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SavePause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RotationPause = TimeSpan.FromHours(2);

    /// <summary>A look this much too late means that the machine slept.</summary>
    private static readonly TimeSpan Sleep = TimeSpan.FromSeconds(30);

    private readonly PeerServer _server;
    private readonly AddressBook _book;
    private readonly IPeerPolicy _policy;
    private readonly PeerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Random _random;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task _looking = Task.CompletedTask;
    private int _dialling;
    private long _savedAt;
    private long _rotatedAt;
    private volatile bool _reset;

    /// <summary>Joins the parts; <see cref="Start"/> begins.</summary>
    public ConnectionScheduler(
        PeerServer server, AddressBook book, IPeerPolicy policy, PeerOptions options, TimeProvider time, ILogger<ConnectionScheduler> logger, Random? random = null)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_server, _book, _policy, _options, _time, _logger) = (server, book, policy, options, time, logger);
        _random = random ?? Random.Shared;
        _savedAt = _rotatedAt = time.GetTimestamp();
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
        if (_reset)
        {
            _reset = false;
            foreach (var address in addresses)
            {
                address.LastAttempt = null;
            }
        }

        var standing = _server.OutgoingCount + Volatile.Read(ref _dialling);
        var free = _options.MaxOutgoing - standing;
        var due = Due(addresses, _options.MaxOutgoing == 0 ? 1 : (double)standing / _options.MaxOutgoing);
        if (free <= 0 && due.Count > 0)
        {
            Rotate(addresses);
        }

        foreach (var (address, _) in due.Take(Math.Max(0, free)))
        {
            _ = DialAsync(address);
        }

        if (_time.GetElapsedTime(_savedAt) >= SavePause)
        {
            _savedAt = _time.GetTimestamp();
            _book.Save();
        }
    }

    private List<(BookedAddress Address, TimeSpan Pause)> Due(IReadOnlyList<BookedAddress> addresses, double fullness)
    {
        var due = new List<(BookedAddress Address, TimeSpan Pause)>();
        foreach (var address in addresses)
        {
            if (address.IsBusy || _server.Peers.FindConnected(address.Feed) is not null || HopsIfWanted(address) is not { } hops)
            {
                continue;
            }

            var experience = new ConnectionBackoff.Experience(
                address.Failures,
                address.LastAttempt is not null || address.Failures > 0 || address.ConnectedAt is not null,
                address.ConnectedAt is not null,
                address.Address.Scope == AddressScope.Local,
                address.Source == AddressSource.Owner);
            var pause = ConnectionBackoff.Pause(experience, hops, fullness, _random.NextDouble());
            if (address.LastAttempt is not { } last || _time.GetElapsedTime(last) >= pause)
            {
                due.Add((address, pause));
            }
        }

        due.Sort(static (a, b) =>
        {
            var byOwner = (a.Address.Source != AddressSource.Owner).CompareTo(b.Address.Source != AddressSource.Owner);
            return byOwner != 0 ? byOwner : a.Pause.CompareTo(b.Pause);
        });

        // One address a peer; the others have their turn when it fails.
        var seen = new HashSet<Scuttlebutt.Identities.FeedId>();
        due.RemoveAll(candidate => !seen.Add(candidate.Address.Feed));
        return due;
    }

    /// <summary>The distance that counts for the pause; null when the address is not to be dialled.</summary>
    private int? HopsIfWanted(BookedAddress address) =>
        address.Source is AddressSource.Owner or AddressSource.Invite ? 0 : _policy.HopsOf(address.Feed) is >= 0 and var hops ? hops : null;

    private async Task DialAsync(BookedAddress address)
    {
        address.IsBusy = true;
        address.LastAttempt = _time.GetTimestamp();
        Interlocked.Increment(ref _dialling);
        try
        {
            var peer = await _server.ConnectAsync(address.Address, address.Source is AddressSource.PubMessage or AddressSource.Invite, _stopping.Token);
            address.Failures = 0;
            address.ConnectedAt = _time.GetUtcNow();
            _ = peer.Session.Closed.UnsafeRegister(_ => Ended(address), null);
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

    private void Rotate(IReadOnlyList<BookedAddress> addresses)
    {
        if (_time.GetElapsedTime(_rotatedAt) < RotationPause)
        {
            return;
        }

        BookedAddress? oldest = null;
        foreach (var address in addresses)
        {
            if (address is { IsBusy: true, Source: not AddressSource.Owner } && _server.Peers.FindConnected(address.Feed) is { IsOutgoing: true }
                && (oldest is null || address.ConnectedAt < oldest.ConnectedAt))
            {
                oldest = address;
            }
        }

        if (oldest?.ConnectedAt is { } since && _time.GetUtcNow() - since >= RotationPause)
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
