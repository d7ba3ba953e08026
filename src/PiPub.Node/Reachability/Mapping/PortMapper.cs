using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>
/// Keeps the home router passing connections on: asks it for each port, in PCP, NAT-PMP or UPnP, whichever it speaks; renews
/// what it granted; asks anew when the network changes or the router says that it began anew; takes everything back at the end.
/// </summary>
public sealed partial class PortMapper : IPortMappings
{
    private readonly NetworkWatch _network;
    private readonly Func<IReadOnlyList<GatewayRoute>> _findRoutes;
    private readonly Func<IPAddress, IReadOnlyList<int>> _portsAt;
    private readonly IReadOnlyList<IMappingClient> _clients;
    private readonly MappingPace _pace;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    private readonly Lock _gate = new();
    private readonly List<PortLease> _leases = [];
    private readonly Dictionary<(IPAddress Gateway, MappingProtocol Protocol), GatewayEpoch> _epochs = [];
    private readonly Dictionary<(AddressFamily Family, int Port), int> _externalPorts = [];
    private readonly HashSet<IPAddress> _recalled = [];
    private TaskCompletionSource _woken = NewSignal();
    private CancellationTokenSource? _round;
    private bool _isChanged = true;
    private string? _toldFailure;
    private volatile PortMappingState _state;

    /// <summary>Prepares; sends nothing before <see cref="RunAsync"/>.</summary>
    /// <param name="network">The interfaces, with their routers.</param>
    /// <param name="portsAt">Which TCP ports, listened on at one of this machine's addresses, shall be reached from outside; asked again each round.</param>
    /// <param name="isOn">Whether anything is to be mapped at all.</param>
    /// <param name="nonceKey">A secret that stays the same for the life of the box: the router knows it by what is made from it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told when a mapping comes to be or is lost, not of renewals.</param>
    public PortMapper(
        NetworkWatch network, Func<IPAddress, IReadOnlyList<int>> portsAt, bool isOn, ReadOnlySpan<byte> nonceKey, TimeProvider time, ILogger<PortMapper> logger)
        : this(network, () => GatewayRoutes.Find(network.Current, GatewayRoutes.KernelSource), portsAt, isOn ? AllClients(nonceKey, time) : [], new MappingPace(), time, logger)
    {
    }

    internal PortMapper(
        NetworkWatch network,
        Func<IReadOnlyList<GatewayRoute>> findRoutes,
        Func<IPAddress, IReadOnlyList<int>> portsAt,
        IReadOnlyList<IMappingClient> clients,
        MappingPace pace,
        TimeProvider time,
        ILogger<PortMapper> logger)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(portsAt);
        ArgumentNullException.ThrowIfNull(time);
        (_network, _findRoutes, _portsAt, _clients, _pace, _time, _logger) = (network, findRoutes, portsAt, clients, pace, time, logger);
        _state = new PortMappingState(clients.Count > 0, null, [], [], clients.Count == 0);
    }

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public PortMappingState State => _state;

    /// <summary>Keeps the mappings until it is cancelled, then takes them back, which takes three seconds at most. Sends nothing when it is off.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        if (_clients.Count == 0)
        {
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var listening = GatewayAnnouncements.ListenAsync(Announced, ended.Token);
        _network.Changed += NetworkChanged;
        try
        {
            while (true)
            {
                await RoundAsync(stopping);
                await WaitAsync(stopping);
            }
        }
        finally
        {
            _network.Changed -= NetworkChanged;
            await ended.CancelAsync();
            await listening;
            await ReleaseAsync([.. _leases]);
            _leases.Clear();
            Publish(_state with { Mappings = [], Attempts = [], IsSettled = true });
        }
    }

    /// <summary>A router said something unasked. Not authentic: it only ever causes a question.</summary>
    internal void Announced(IPAddress sender, GatewayAnnouncement announcement)
    {
        lock (_gate)
        {
            foreach (var lease in _leases)
            {
                if (!lease.Route.Gateway.Equals(sender))
                {
                    continue;
                }

                // A router that speaks both may announce in one of them only; its seconds are the same.
                if (lease.Protocol is not (MappingProtocol.Pcp or MappingProtocol.NatPmp)
                    || HasBegunAnew(sender, lease.Protocol.Value, announcement.Epoch)
                    || (announcement.ExternalAddress is { } outside && lease.Route.Family == outside.AddressFamily && !outside.Equals(lease.ExternalAddress)))
                {
                    // A flood of them wakes nobody a second time before the router has been asked.
                    if (_recalled.Add(sender))
                    {
                        _ = _woken.TrySetResult();
                    }

                    return;
                }
            }
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static IMappingClient[] AllClients(ReadOnlySpan<byte> nonceKey, TimeProvider time)
    {
        var calls = new BlockingCalls();
        return [new PcpClient(nonceKey, time), new NatPmpClient(calls), new UpnpClient(calls, time)];
    }

    private void NetworkChanged()
    {
        lock (_gate)
        {
            _isChanged = true;
            _round?.Cancel();
            _ = _woken.TrySetResult();
        }
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        Task woken;
        TimeSpan pause;
        lock (_gate)
        {
            var due = _leases.Count == 0 ? DateTimeOffset.MaxValue : _leases.Min(static lease => lease.DueAt);
            pause = due - _time.GetUtcNow();
            pause = pause < TimeSpan.Zero ? TimeSpan.Zero : pause < _pace.Longest ? pause : _pace.Longest;
            woken = _woken.Task;
        }

        await woken.WaitAsync(pause, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.ThrowIfCancellationRequested();
        lock (_gate)
        {
            _woken = _woken.Task.IsCompleted ? NewSignal() : _woken;
            foreach (var gateway in _recalled)
            {
                RecallAll(gateway);
            }
        }
    }

    private async Task RoundAsync(CancellationToken stopping)
    {
        using var round = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        bool isChanged;
        lock (_gate)
        {
            (_round, isChanged, _isChanged) = (round, _isChanged, false);
        }

        try
        {
            if (isChanged)
            {
                Publish(_state with { IsSettled = false });
            }

            await FollowRoutesAsync(isChanged);
            foreach (var lease in _leases.Where(lease => lease.DueAt <= _time.GetUtcNow()).ToList())
            {
                var told = await lease.AskAsync(round.Token);
                Remember(lease, told);
                Publish(Describe(isSettled: _state.IsSettled));
            }

            Publish(Describe(isSettled: true));
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // The network changed meanwhile: the next round begins at once.
        }
        finally
        {
            lock (_gate)
            {
                _round = null;
            }
        }
    }

    /// <summary>Brings the leases into line with the addresses and ports that there are now.</summary>
    private async Task FollowRoutesAsync(bool isChanged)
    {
        var wanted = new List<(GatewayRoute Route, int Port)>();
        foreach (var route in _findRoutes())
        {
            foreach (var port in _portsAt(route.Local.Address))
            {
                wanted.Add((route, port));
            }
        }

        var givenUp = _leases.Where(lease => !wanted.Contains((lease.Route, lease.Port))).ToArray();

        // First the old ones go: the port out there may then be had again.
        await ReleaseAsync(givenUp);
        lock (_gate)
        {
            _ = _leases.RemoveAll(givenUp.Contains);
            foreach (var lease in _leases)
            {
                if (isChanged)
                {
                    lease.Suspect();
                }
            }

            foreach (var (route, port) in wanted)
            {
                if (!_leases.Exists(lease => lease.Route == route && lease.Port == port))
                {
                    var external = _externalPorts.GetValueOrDefault((route.Family, port), port);
                    _leases.Add(new PortLease(route, port, _clients, _pace, _time) { ExternalPort = external });
                }
            }
        }
    }

    private void Remember(PortLease lease, (MappingProtocol Protocol, uint Epoch)? told)
    {
        lock (_gate)
        {
            _externalPorts[(lease.Route.Family, lease.Port)] = lease.ExternalPort;
            _ = _recalled.Remove(lease.Route.Gateway);
            if (told is var (protocol, epoch) && HasBegunAnew(lease.Route.Gateway, protocol, epoch))
            {
                RecallAll(lease.Route.Gateway, lease);
            }
        }
    }

    private bool HasBegunAnew(IPAddress gateway, MappingProtocol protocol, uint epoch)
    {
        if (!_epochs.TryGetValue((gateway, protocol), out var known))
        {
            if (_epochs.Count > 16)
            {
                _epochs.Clear();
            }

            _epochs[(gateway, protocol)] = known = new GatewayEpoch(protocol == MappingProtocol.NatPmp, _time);
        }

        return known.HasBegunAnew(epoch);
    }

    private void RecallAll(IPAddress gateway, PortLease? except = null)
    {
        foreach (var lease in _leases)
        {
            if (lease != except && lease.Route.Gateway.Equals(gateway))
            {
                lease.Recall();
            }
        }
    }

    private async Task ReleaseAsync(PortLease[] leases)
    {
        if (leases.Length == 0)
        {
            return;
        }

        using var farewell = new CancellationTokenSource(_pace.Farewell, _time);
        await Task.WhenAll(leases.Select(lease => lease.ReleaseAsync(farewell.Token))).WaitAsync(farewell.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private PortMappingState Describe(bool isSettled)
    {
        var routes = _leases.ConvertAll(static lease => lease.Route);
        var mappings = _leases.ConvertAll(static lease => lease.Mapping);
        var attempts = new List<MappingAttempt>();
        foreach (var attempt in _leases.SelectMany(static lease => lease.Attempts))
        {
            // Of the ports (and IPv6 addresses) that went differently, the one that went wrong is told.
            var same = attempts.FindIndex(other => (other.Protocol, other.Family) == (attempt.Protocol, attempt.Family));
            if (same < 0)
            {
                attempts.Add(attempt);
            }
            else if (attempts[same].Error is null)
            {
                attempts[same] = attempt;
            }
        }

        // The router is told of even when no port is to be mapped.
        var ways = routes.Count > 0 ? routes : _findRoutes();
        var gateway = routes.Find(static route => route.Family == AddressFamily.InterNetwork)?.Gateway ?? (ways.Count > 0 ? ways[0].Gateway : null);
        return new PortMappingState(true, gateway, [.. mappings.OfType<PortMapping>()], attempts, isSettled);
    }

    private void Publish(PortMappingState state)
    {
        var before = _state;
        if (before.IsSettled == state.IsSettled
            && Equals(before.Gateway, state.Gateway)
            && before.Mappings.SequenceEqual(state.Mappings)
            && before.Attempts.SequenceEqual(state.Attempts))
        {
            return;
        }

        _state = state;
        foreach (var lost in before.Mappings.Where(old => !state.Mappings.Any(mapping => IsSame(old, mapping))))
        {
            var protocol = NameOf(lost.Protocol);
            Lost(lost.ExternalAddress, lost.ExternalPort, lost.InternalPort, protocol);
        }

        foreach (var come in state.Mappings.Where(mapping => !before.Mappings.Any(old => IsSame(old, mapping))))
        {
            var protocol = NameOf(come.Protocol);
            CameToBe(state.Gateway, come.ExternalAddress, come.ExternalPort, come.InternalPort, protocol);
        }

        TellFailure(state);
        Changed?.Invoke();
    }

    private void TellFailure(PortMappingState state)
    {
        if (!state.IsSettled || state.Attempts.Count == 0)
        {
            return;
        }

        var failure = state.Mappings.Count > 0 ? null : string.Join(' ', state.Attempts.Select(static attempt => $"{NameOf(attempt.Protocol)}: {attempt.Error}"));
        if (failure is not null && failure != _toldFailure)
        {
            NothingMapped(state.Gateway, failure);
        }

        _toldFailure = failure;
    }

    private static string NameOf(MappingProtocol protocol) => protocol switch
    {
        MappingProtocol.Pcp => "PCP",
        MappingProtocol.NatPmp => "NAT-PMP",
        _ => "UPnP",
    };

    private static bool IsSame(PortMapping one, PortMapping other) => one with { ExpiresAt = null } == other with { ExpiresAt = null };

    [LoggerMessage(Level = LogLevel.Information, Message = "The router {Gateway} passes {Address} port {ExternalPort} on to port {Port} here ({Protocol}).")]
    private partial void CameToBe(IPAddress? gateway, IPAddress? address, int externalPort, int port, string protocol);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} port {ExternalPort} is no longer passed on to port {Port} here ({Protocol}).")]
    private partial void Lost(IPAddress? address, int externalPort, int port, string protocol);

    [LoggerMessage(Level = LogLevel.Information, Message = "The router {Gateway} passes nothing on. {Reasons}")]
    private partial void NothingMapped(IPAddress? gateway, string reasons);
}
