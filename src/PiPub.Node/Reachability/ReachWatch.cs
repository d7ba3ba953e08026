using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using PiPub.Node.Invites;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Reachability;

/// <summary>
/// Knows at which addresses the box can be reached. It asks connected peers to dial back, when a suitable one connects, when
/// addresses or mappings change, and every few hours for what works; it takes every peer that comes in from outside for a proof;
/// and it sleeps in between.
/// </summary>
/// <remarks>
/// Peers in the social graph are asked before others. Peers in the home network are not asked: what they can reach says nothing
/// of outside. JavaScript peers do not know the method, and are asked once a connection.
/// </remarks>
public sealed partial class ReachWatch
{
    private const int MaxAsked = 4;

    private readonly ReachOptions _options;
    private readonly PeerServer _server;
    private readonly IPeerPolicy _policy;
    private readonly NetworkWatch _watch;
    private readonly IPortMappings _mappings;
    private readonly Func<(int Ssb, int Web)> _ports;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AddressProofs _proofs;
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ConditionalWeakTable<IRpcSession, Witness> _witnesses = [];
    private readonly Lock _gate = new();
    private IReadOnlyList<AddressCandidate> _candidates = [];
    private PortMappingState _mapped;
    private IPAddress? _observed;
    private DateTimeOffset? _observedAt;
    private volatile bool _wantsPeer = true;
    private string _told = "";

    /// <summary>Joins the parts. Nothing is asked before <see cref="RunAsync"/>.</summary>
    /// <param name="options">What the owner said, and how often to look.</param>
    /// <param name="server">The connections.</param>
    /// <param name="policy">Whom to ask first.</param>
    /// <param name="watch">The machine's interfaces.</param>
    /// <param name="mappings">What routers pass on.</param>
    /// <param name="ports">The ports listened on, for peers and for WebSocket; 0 while not known.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public ReachWatch(
        ReachOptions options,
        PeerServer server,
        IPeerPolicy policy,
        NetworkWatch watch,
        IPortMappings mappings,
        Func<(int Ssb, int Web)> ports,
        TimeProvider time,
        ILogger<ReachWatch> logger)
    {
        ArgumentNullException.ThrowIfNull(mappings);
        (_options, _server, _policy, _watch, _mappings, _ports, _time, _logger) = (options, server, policy, watch, mappings, ports, time, logger);
        _proofs = new AddressProofs(options, time);
        _mapped = mappings.State;
    }

    /// <summary>What routers pass on, what the interfaces have, what was proven, and what it comes to.</summary>
    public ReachReport Report()
    {
        Refresh();
        lock (_gate)
        {
            return ReachJudgement.Judge(new ReachEvidence([.. _candidates.Select(c => (c, _proofs.StateOf(c.Address)))], _mapped, _watch.Current, _observed, _ports().Ssb));
        }
    }

    /// <summary>The addresses to give to others, best first; see <see cref="OfferedAddresses"/>.</summary>
    public IReadOnlyList<InviteAddress> Offered()
    {
        Refresh();
        lock (_gate)
        {
            return OfferedAddresses.Choose([.. _candidates.Select(c => (c, _proofs.StateOf(c.Address)))]);
        }
    }

    /// <summary>Watches and asks until it is stopped.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _watch.Changed += OnNetworkChanged;
        _mappings.Changed += OnMappingsChanged;
        _server.Accepted += OnAccepted;
        _server.Peers.Changed += OnPeersChanged;
        Refresh();
        try
        {
            while (true)
            {
                await Task.Delay(_options.Settling, _time, cancellationToken);
                _ = _wake.Reader.TryRead(out _);
                var next = await AskWhatIsDueAsync(cancellationToken);
                Tell();
                await WaitAsync(next, cancellationToken);
            }
        }
        finally
        {
            _watch.Changed -= OnNetworkChanged;
            _mappings.Changed -= OnMappingsChanged;
            _server.Accepted -= OnAccepted;
            _server.Peers.Changed -= OnPeersChanged;
        }
    }

    /// <summary>Whether an address is somebody's out there: public, not this machine's, not a neighbour's, and not the router's own outer one.</summary>
    internal bool IsOutside(IPAddress address)
    {
        if (PeerHost.ScopeOf(address) != AddressScope.Public || _watch.IsOwn(address) || address.Equals(_observed))
        {
            return false;
        }

        foreach (var mapping in _mapped.Mappings)
        {
            // A router that takes a neighbour out and in again shows it under its own address.
            if (address.Equals(mapping.ExternalAddress))
            {
                return false;
            }
        }

        return !IsNeighbour(address);
    }

    private bool IsNeighbour(IPAddress address)
    {
        foreach (var network in _watch.Current)
        {
            foreach (var local in network.Addresses)
            {
                if (local.PrefixLength is > 0 and not (32 or 128) && local.IsNeighbour(address))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void OnNetworkChanged()
    {
        lock (_gate)
        {
            _observedAt = null;
        }

        _proofs.AskAnew(unprovenOnly: false);
        Refresh();
        Wake();
    }

    private void OnMappingsChanged()
    {
        bool isOther;
        lock (_gate)
        {
            var state = _mappings.State;
            isOther = !state.Mappings.Select(Key).SequenceEqual(_mapped.Mappings.Select(Key));
            _mapped = state;
        }

        // A renewed lease is no news.
        if (isOther)
        {
            _proofs.AskAnew(unprovenOnly: true);
            Refresh();
        }

        Wake();

        static (MappingProtocol, int, IPAddress?, int) Key(PortMapping mapping) => (mapping.Protocol, mapping.InternalPort, mapping.ExternalAddress, mapping.ExternalPort);
    }

    private void OnPeersChanged()
    {
        if (_wantsPeer)
        {
            Wake();
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Somebody came in: a proof for the address by which it must have come.</summary>
    private void OnAccepted(FeedId who, PeerTransport transport)
    {
        if (transport is not { Remote: { } remote, Local: { } local } || who == _server.Id || IPAddress.IsLoopback(remote))
        {
            return;
        }

        var isWebSocket = transport.Description.StartsWith("ws", StringComparison.Ordinal);
        AddressCandidate? by;
        lock (_gate)
        {
            by = IsOutside(remote) ? CameInBy(local, isWebSocket)
                : IsNeighbour(remote) ? _candidates.FirstOrDefault(c => c.Scope == AddressScope.Local && Is(c, isWebSocket) && local.Equals(c.Ip))
                : null;
        }

        if (by is not null && _proofs.Prove(by.Address, who, wasAsked: false))
        {
            Wake();
        }
    }

    /// <summary>The address by which somebody outside came to an address of this machine.</summary>
    private AddressCandidate? CameInBy(IPAddress local, bool isWebSocket)
    {
        if (PeerHost.ScopeOf(local) == AddressScope.Public)
        {
            return _candidates.FirstOrDefault(c => Is(c, isWebSocket) && local.Equals(c.Ip));
        }

        // A router has passed it on: as it was asked to, or as the owner set it up by hand.
        return local.AddressFamily != AddressFamily.InterNetwork ? null
            : Find(AddressOrigin.Mapping) ?? Find(AddressOrigin.Configured) ?? Find(AddressOrigin.Observed);

        AddressCandidate? Find(AddressOrigin origin) => _candidates.FirstOrDefault(c =>
            c.Origin == origin && Is(c, isWebSocket) && c is { Scope: AddressScope.Public, IsIPv6: false });
    }

    private static bool Is(AddressCandidate candidate, bool isWebSocket) => (candidate.Address.Transport == InviteTransport.Ws) == isWebSocket;

    private void Refresh()
    {
        lock (_gate)
        {
            _mapped = _mappings.State;
            if (_observedAt is { } at && _time.GetUtcNow() - at >= _options.ProofLife)
            {
                _observed = null;
            }

            var (ssb, web) = _ports();
            _candidates = ssb == 0 ? [] : AddressCandidates.Find(_options, new Whereabouts(ssb, web, _watch.Current, _mapped.Mappings, _observed));
            _proofs.Forget(_candidates.Select(static c => c.Address).ToHashSet());
        }
    }

    /// <summary>Asks one peer after the other while something is due. Gives when to look again, at the latest.</summary>
    private async Task<DateTimeOffset> AskWhatIsDueAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Refresh();
            var now = _time.GetUtcNow();
            DateTimeOffset? next = null;
            Peer? chosen = null;
            List<AddressCandidate> due = [];
            foreach (var peer in Witnesses())
            {
                due = Due(peer, now, ref next, out var isObservationDue);
                if (due.Count > 0 || isObservationDue)
                {
                    chosen = peer;
                    break;
                }
            }

            if (chosen is null)
            {
                _wantsPeer = next is null;
                return next ?? now + _options.RetryAfter;
            }

            await AskAsync(chosen, due, cancellationToken);
        }
    }

    private List<AddressCandidate> Due(Peer peer, DateTimeOffset now, ref DateTimeOffset? next, out bool isObservationDue)
    {
        var due = new List<AddressCandidate>(MaxAsked);
        lock (_gate)
        {
            foreach (var candidate in _candidates)
            {
                if (candidate.Scope != AddressScope.Public)
                {
                    continue;
                }

                var at = _proofs.DueAt(candidate.Address, peer.Id);
                if (at <= now && due.Count < MaxAsked)
                {
                    due.Add(candidate);
                }

                next = next is null || at < next ? at : next;
            }

            var observation = _observedAt + _options.RenewAfter ?? DateTimeOffset.MinValue;
            isObservationDue = observation <= now;
            next = next is null || observation < next ? observation : next;
        }

        return due;
    }

    /// <summary>The connected peers that can be asked: outside, and not known to be of no use. Friends first.</summary>
    private List<Peer> Witnesses()
    {
        var now = _time.GetUtcNow();
        var peers = new List<(Peer Peer, int Hops)>();
        foreach (var peer in _server.Peers.Connected)
        {
            if (IsOutside(peer) && !(_witnesses.TryGetValue(peer.Session, out var witness) && (witness.IsMute || now < witness.NotBefore)))
            {
                peers.Add((peer, _policy.HopsOf(peer.Id) ?? int.MaxValue));
            }
        }

        peers.Sort(static (a, b) =>
        {
            var byHops = a.Hops.CompareTo(b.Hops);
            return byHops != 0 ? byHops : a.Peer.ConnectedAt.CompareTo(b.Peer.ConnectedAt);
        });
        return peers.ConvertAll(static p => p.Peer);
    }

    private bool IsOutside(Peer peer) => peer.RemoteAddress is { } remote
        ? IsOutside(remote)
        : peer.IsOutgoing && MultiserverAddress.TryParse(peer.Address, out var address) && address.Scope == AddressScope.Public;

    private async Task AskAsync(Peer peer, List<AddressCandidate> addresses, CancellationToken cancellationToken)
    {
        foreach (var candidate in addresses)
        {
            _proofs.Asked(candidate.Address);
        }

        var witness = _witnesses.GetOrCreateValue(peer.Session);
        try
        {
            using var limit = new CancellationTokenSource(_options.AnswerTimeout, _time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            Take(peer, await DialBackQuestion.AskAsync(_server, peer, addresses, both.Token));
        }
        catch (RpcException e)
        {
            witness.IsMute = e.IsMissingMethod;
            witness.NotBefore = _time.GetUtcNow() + _options.PeerPause;
            Unanswered(addresses);
            NoAnswer(peer.Id, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            witness.NotBefore = _time.GetUtcNow() + _options.PeerPause;
            Unanswered(addresses);
            NoAnswer(peer.Id, "it took too long");
        }
    }

    /// <summary>Nobody was the wiser: another peer may be asked at once.</summary>
    private void Unanswered(List<AddressCandidate> addresses)
    {
        foreach (var candidate in addresses)
        {
            _proofs.Unanswered(candidate.Address);
        }
    }

    private void Take(Peer peer, DialBackAnswer answer)
    {
        lock (_gate)
        {
            if (answer.Observed is { AddressFamily: AddressFamily.InterNetwork } seen && PeerHost.ScopeOf(seen) == AddressScope.Public)
            {
                _observed = seen;
            }

            _observedAt = _time.GetUtcNow();
        }

        foreach (var candidate in answer.Works)
        {
            _ = _proofs.Prove(candidate.Address, peer.Id, wasAsked: true);
        }

        if (answer.Fails.Count > 0)
        {
            var others = Witnesses().Count(other => other.Id != peer.Id);
            foreach (var candidate in answer.Fails)
            {
                _ = _proofs.Fail(candidate.Address, peer.Id, isLastWord: others == 0);
            }
        }
    }

    private async Task WaitAsync(DateTimeOffset next, CancellationToken cancellationToken)
    {
        using var woken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = _wake.Reader.WaitToReadAsync(woken.Token).AsTask();
        var pause = next - _time.GetUtcNow();
        if (pause > TimeSpan.Zero)
        {
            _ = await Task.WhenAny(waiting, Task.Delay(pause, _time, woken.Token));
        }

        await woken.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private void Tell()
    {
        var report = Report();
        if (report.Summary.ToString() is var told && told != _told)
        {
            _told = told;
            var advice = report.Advice?.ToString() ?? "";
            Found(told, advice);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Summary} {Advice}")]
    private partial void Found(string summary, string advice);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Peer} could not say whether this box can be reached: {Reason}")]
    private partial void NoAnswer(FeedId peer, string reason);

    /// <summary>What is remembered of a peer for as long as its connection lasts.</summary>
    private sealed class Witness
    {
        public bool IsMute { get; set; }

        public DateTimeOffset NotBefore { get; set; }
    }
}
