using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>
/// What happens to every connection, whoever dialled and over whatever transport: gate, secret handshake, admission, box
/// stream, muxrpc, and the services that keep a peer company.
/// </summary>
/// <remarks>
/// Whoever holds the box's own key is its owner, but only on loopback and on the local socket; from elsewhere it is refused,
/// as nobody but the box itself should have that key. Refusal in a handshake is silence. Sources: SSB protocol guide,
/// Handshake; secret-stack 8.1.0 core.js; ssb-conn-hub 1.2.0.
/// </remarks>
public sealed partial class PeerServer : IAsyncDisposable
{
    private readonly KeyPair _self;
    private readonly NetworkKey _network;
    private readonly RpcMethods _methods;
    private readonly IReadOnlyList<IPeerService> _services;
    private readonly IReadOnlyList<IPeerDialer> _dialers;
    private readonly IPeerPolicy _policy;
    private readonly PeerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PeerRoster _roster;
    private readonly StreamBudget _streams;
    private readonly ConnectionGate _gate;
    private readonly Offenders _offenders;
    private readonly SeldomLog _offenceLog;
    private readonly SeldomLog _gateLog;
    private readonly SeldomLog _nonsenseLog;
    private readonly SeldomLog _failureLog;
    private readonly ITimer _sweep;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _dialGate = new();
    private readonly Dictionary<FeedId, Task<Peer>> _dials = [];
    private int _running;

    /// <summary>Joins the parts. Nothing is listened to or dialled by this alone.</summary>
    /// <param name="self">The box's own identity.</param>
    /// <param name="network">The network key.</param>
    /// <param name="methods">What is offered to whom; filled before the first connection.</param>
    /// <param name="services">What is done with every peer.</param>
    /// <param name="dialers">How addresses are reached, the first that can winning.</param>
    /// <param name="policy">Who is welcome.</param>
    /// <param name="peers">Where it is noted who is connected.</param>
    /// <param name="options">What it may cost.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public PeerServer(
        KeyPair self,
        NetworkKey network,
        RpcMethods methods,
        IEnumerable<IPeerService> services,
        IEnumerable<IPeerDialer> dialers,
        IPeerPolicy policy,
        PeerTable peers,
        PeerOptions options,
        TimeProvider time,
        ILogger<PeerServer> logger)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        options.Validate();
        (_self, _network, _methods, _policy, Peers, _options, _time, _logger) = (self, network, methods, policy, peers, options, time, logger);
        _services = [.. services];
        _dialers = [.. dialers];
        _roster = new PeerRoster(self.Id, options, time);
        _streams = new StreamBudget(options.SharedStreams);
        _gate = new ConnectionGate(options, time);
        _offenders = new Offenders(options.OffenceMemory, time);
        _offenceLog = new SeldomLog(time);
        _gateLog = new SeldomLog(time);
        _nonsenseLog = new SeldomLog(time);
        _failureLog = new SeldomLog(time);
        var pause = TimeSpan.FromTicks(Math.Min(Math.Min(options.InactivityTimeout.Ticks, options.StallTimeout.Ticks) / 4, TimeSpan.FromSeconds(30).Ticks));
        _sweep = time.CreateTimer(static server => ((PeerServer)server!).CloseInactive(), this, pause, pause);
        policy.Blocked += EndConnectionsOf;
    }

    /// <summary>Who is connected, and what became of others.</summary>
    public PeerTable Peers { get; }

    /// <summary>The box's own identity.</summary>
    public FeedId Id => _self.Id;

    /// <summary>Connections that the box dialled and that still stand.</summary>
    public int OutgoingCount => _roster.OutgoingCount;

    /// <summary>Takes a connection that somebody made, and completes when it has ended. Never throws.</summary>
    public async Task AcceptAsync(PeerTransport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        LinkedListNode<ConnectionGate.Handshake>? handshake = null;
        var verdict = _stopping.IsCancellationRequested ? GateVerdict.TooManyHandshakes : _gate.Enter(transport.Remote, transport.Abort, out handshake);
        if (verdict != GateVerdict.Open)
        {
            TurnAway(transport, verdict);
            return;
        }

        Interlocked.Increment(ref _running);
        try
        {
            if (await ShakeHandsAsync(transport, handshake) is { } connection)
            {
                await RunAsync(connection);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            PeerLog.Unexpected(_logger, transport.Description, e);
            transport.Abort();
        }
        finally
        {
            _gate.Left(transport.Remote);
            await transport.DisposeAsync();
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>
    /// Takes a connection of the owner's tools that needs no handshake, since the system vouches for who made it: the local
    /// socket. Completes when it has ended. Never throws.
    /// </summary>
    public async Task AcceptOwnerAsync(PeerTransport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        Interlocked.Increment(ref _running);
        try
        {
            await RunAsync(Describe(transport, transport.Pipe, _self.Id, PeerRole.Owner, isOutgoing: false));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            PeerLog.Unexpected(_logger, transport.Description, e);
            transport.Abort();
        }
        finally
        {
            await transport.DisposeAsync();
            Interlocked.Decrement(ref _running);
        }
    }

    /// <summary>
    /// Connects to a peer, or gives the connection that there is. Completes when its handshake is done; the connection then
    /// lives on by itself.
    /// </summary>
    /// <param name="address">Where, and whom one expects to meet.</param>
    /// <param name="publicOnly">See <see cref="IPeerDialer.DialAsync"/>.</param>
    /// <param name="cancellationToken">Stops waiting; the attempt goes on.</param>
    /// <exception cref="PeerConnectException">It came to nothing; the message says why.</exception>
    public Task<Peer> ConnectAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.Key is not { } id)
        {
            throw new PeerConnectException("The address does not say whom to meet there. Give one that ends with ~shs: and the peer's key.");
        }

        if (id == _self.Id)
        {
            throw new PeerConnectException("That is the address of this box itself.");
        }

        lock (_dialGate)
        {
            if (!_dials.TryGetValue(id, out var dial))
            {
                dial = DialAsync(address, id, publicOnly);
                if (!dial.IsCompleted)
                {
                    _dials[id] = dial;
                }
            }

            return dial.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Says goodbye to a peer and waits until its connections have ended. False when there were none.</summary>
    public async Task<bool> DisconnectAsync(FeedId id)
    {
        var connections = _roster.All(id);
        await Task.WhenAll(connections.ConvertAll(static c => c.Session.CloseAsync()));
        return connections.Count > 0;
    }

    /// <summary>Says goodbye to all, lets nobody in any more, and waits until all connections have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            return;
        }

        _policy.Blocked -= EndConnectionsOf;
        await _sweep.DisposeAsync();
        await _stopping.CancelAsync();
        for (var waited = 0; waited < 500 && Volatile.Read(ref _running) > 0; waited++)
        {
            await Task.WhenAll(_roster.All().ConvertAll(static c => c.Session.CloseAsync()));
            await Task.Delay(20);
        }
    }

    /// <summary>
    /// Ends the connections whose own end has an address that this machine no longer has: they are dead, and would be taken
    /// for alive until they time out.
    /// </summary>
    /// <param name="isOwn">Whether an address is this machine's.</param>
    public void EndStranded(Func<IPAddress, bool> isOwn)
    {
        ArgumentNullException.ThrowIfNull(isOwn);
        foreach (var connection in _roster.All())
        {
            if (connection.Transport.Local is { } local && !isOwn(local))
            {
                PeerLog.Stranded(_logger, connection.Peer.Id.ToString(), local.ToString());
                connection.Transport.Abort();
            }
        }
    }

    private void TurnAway(PeerTransport transport, GateVerdict verdict)
    {
        transport.Abort();
        if (_gateLog.MayWrite(out var heldBack))
        {
            var reason = verdict switch
            {
                GateVerdict.TooManyFromThere => $"{_options.MaxConnectionsPerAddress} connections from there are open already",
                GateVerdict.TooOftenFromThere => $"more than {_options.ConnectionRatePerAddress} connections came from there within a minute",
                GateVerdict.OffendedBefore => "peers there broke the protocol repeatedly a short while ago",
                _ => "too many handshakes are under way",
            };
            PeerLog.NotLetIn(_logger, transport.Description, reason, heldBack);
        }
    }

    private void EndConnectionsOf(FeedId blocked)
    {
        foreach (var connection in _roster.All(blocked))
        {
            _ = connection.Session.CloseAsync();
        }
    }

    private void CloseInactive()
    {
        var now = _time.GetTimestamp();
        foreach (var connection in _roster.All())
        {
            // The owner's tools may be silent for as long as they like.
            if (connection.Role == PeerRole.Owner)
            {
                continue;
            }

            if (_time.GetElapsedTime(connection.ActiveAt(now), now) >= _options.InactivityTimeout)
            {
                PeerLog.Inactive(_logger, connection.Peer.Id.ToString(), _options.InactivityTimeout.TotalMinutes);
                _ = connection.Session.CloseAsync();
            }
            else if (_time.GetElapsedTime(connection.ReadingAt(now), now) >= _options.StallTimeout)
            {
                PeerLog.Stalled(_logger, connection.Peer.Id.ToString(), _options.StallTimeout.TotalMinutes);
                _ = connection.Session.CloseAsync();
            }
        }
    }
}
