using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability;
using PiPub.Node.Reachability.Mapping;
using PiPub.Node.Tests.Peers;

namespace PiPub.Node.Tests.Reachability.Mapping;

/// <summary>When is asked for what, with routers and a clock that the test plays.</summary>
public sealed class PortMapperTests : IAsyncDisposable
{
    private static readonly IPAddress Router = IPAddress.Parse("192.168.1.1");
    private static readonly IPAddress Outside = IPAddress.Parse("203.0.113.5");

    private readonly ManualTime _time = new();
    private readonly NetworkWatch _watch;
    private readonly Lines _lines = new();
    private readonly PlayedClient _pcp = new(MappingProtocol.Pcp);
    private readonly PlayedClient _natPmp = new(MappingProtocol.NatPmp) { IsIPv4Only = true };
    private readonly PlayedClient _upnp = new(MappingProtocol.Upnp) { LookAgain = TimeSpan.FromMinutes(10) };
    private readonly CancellationTokenSource _stopping = new();
    private volatile IReadOnlyList<GatewayRoute> _routes = [Route("192.168.1.10")];
    private volatile IReadOnlyList<int> _ports = [8008];
    private IReadOnlyList<LocalNetwork> _networks = [];
    private PortMapper _mapper = null!;
    private Task _running = Task.CompletedTask;

    public PortMapperTests() => _watch = new NetworkWatch(() => _networks, TimeProvider.System, NullLogger<NetworkWatch>.Instance);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _watch.Dispose();
        _stopping.Dispose();
    }

    [Fact]
    public async Task The_first_protocol_that_is_answered_is_used()
    {
        _natPmp.Answer = Granted(8008);
        _upnp.Answer = Granted(8008);
        await StartAsync();

        Assert.Equal(new PortMapping(MappingProtocol.NatPmp, 8008, Outside, 8008, _time.GetUtcNow() + TimeSpan.FromHours(1)), Assert.Single(_mapper.State.Mappings));
        Assert.Equal([(MappingProtocol.Pcp, false), (MappingProtocol.NatPmp, true)], _mapper.State.Attempts.Select(static attempt => (attempt.Protocol, attempt.IsAnswered)));
        Assert.Equal(Router, _mapper.State.Gateway);
        Assert.Empty(_upnp.Asked);
        var request = Assert.Single(_natPmp.Asked).Request;
        Assert.Equal((8008, 8008, TimeSpan.FromHours(1)), (request.Port, request.ExternalPort, request.Lifetime));
    }

    [Fact]
    public async Task A_lease_is_renewed_at_half_its_time_as_it_was_granted_and_logged_once()
    {
        _pcp.Answer = Granted(4321);
        await StartAsync();
        var changes = 0;
        _mapper.Changed += () => changes++;

        await AdvanceAsync(TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(1));
        Assert.Single(_pcp.Asked);
        await AdvanceAsync(TimeSpan.FromSeconds(1));
        await AdvanceAsync(TimeSpan.FromMinutes(30));

        Assert.Equal([8008, 4321, 4321], _pcp.Asked.Select(static asked => asked.Request.ExternalPort));
        Assert.Equal([null, Outside, Outside], _pcp.Asked.Select(static asked => asked.Request.ExternalAddress));
        Assert.Equal(_time.GetUtcNow() + TimeSpan.FromHours(1), Assert.Single(_mapper.State.Mappings).ExpiresAt);
        Assert.True(changes > 0);
        Assert.Single(_lines.All);
    }

    [Fact]
    public async Task A_protocol_that_does_not_tell_of_restarts_is_asked_sooner_and_keeps_permanent_leases()
    {
        _upnp.Answer = MappingAnswer.Granted(Outside, 8008, null, null);
        await StartAsync();
        Assert.Null(Assert.Single(_mapper.State.Mappings).ExpiresAt);

        await AdvanceAsync(TimeSpan.FromMinutes(10));
        Assert.Equal(2, _upnp.Asked.Count);
        Assert.Single(_pcp.Asked);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(uint.MaxValue)]
    public async Task An_absurd_lease_neither_makes_a_loop_nor_is_trusted_for_years(uint seconds)
    {
        _pcp.Answer = MappingAnswer.Granted(Outside, 8008, TimeSpan.FromSeconds(seconds), 1);
        await StartAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Single(_pcp.Asked);

        for (var minutes = 0; minutes < 30; minutes++)
        {
            _pcp.Epoch += 60;
            await AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        Assert.InRange(_pcp.Asked.Count, 2, 200);
    }

    [Fact]
    public async Task A_router_that_answers_nothing_is_asked_ever_less_often_and_used_when_it_is_switched_on()
    {
        await StartAsync();
        Assert.True(_mapper.State.IsSettled);
        Assert.All(_mapper.State.Attempts, static attempt => Assert.False(attempt.IsAnswered));
        Assert.Equal(3, _mapper.State.Attempts.Count);

        for (var minutes = 0; minutes < 60; minutes++)
        {
            await AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        var pauses = _upnp.Asked.Zip(_upnp.Asked.Skip(1), static (one, next) => (next.At - one.At).TotalSeconds).ToList();
        Assert.Equal([15, 30, 60, 120, 240, 300, 300], pauses[..7]);
        Assert.Single(_lines.All);

        _upnp.Answer = Granted(8008);
        await AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Single(_mapper.State.Mappings);
    }

    [Fact]
    public async Task A_renewal_without_answer_is_repeated_until_the_lease_has_run_out()
    {
        _pcp.Answer = Granted(8008);
        await StartAsync();
        _pcp.Answer = MappingAnswer.Silent("nothing");

        await AdvanceAsync(TimeSpan.FromMinutes(31));
        Assert.Single(_mapper.State.Mappings);
        Assert.Empty(_natPmp.Asked);
        Assert.InRange(_pcp.Asked.Count, 3, 5);

        await AdvanceAsync(TimeSpan.FromMinutes(34));
        Assert.Empty(_mapper.State.Mappings);
        Assert.NotEmpty(_natPmp.Asked);
        Assert.Contains(_lines.All, static line => line.Contains("no longer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_renewal_that_is_refused_leads_to_the_other_protocols_at_once()
    {
        _pcp.Answer = Granted(8008);
        await StartAsync();
        _pcp.Answer = MappingAnswer.Refused("no");
        _upnp.Answer = Granted(8008);

        await AdvanceAsync(TimeSpan.FromMinutes(30));
        Assert.Equal(MappingProtocol.Upnp, Assert.Single(_mapper.State.Mappings).Protocol);
    }

    [Fact]
    public async Task A_new_address_is_mapped_and_the_old_one_given_back()
    {
        _pcp.Answer = Granted(8008);
        await StartAsync();

        _routes = [Route("192.168.1.77")];
        ChangeNetwork();
        await Eventually.BecomesTrueAsync(() => _pcp.Asked.Any(static asked => asked.Request.Route.Local.Address.ToString() == "192.168.1.77"), "the new address is asked for");
        await Eventually.BecomesTrueAsync(() => _mapper.State is { IsSettled: true, Mappings.Count: 1 }, "it is mapped");

        Assert.Equal("192.168.1.10", Assert.Single(_pcp.Removed).Route.Local.Address.ToString());
    }

    [Fact]
    public async Task After_a_change_of_the_network_everything_is_asked_for_anew_and_not_settled_meanwhile()
    {
        _pcp.Answer = Granted(4321);
        await StartAsync();
        var states = new ConcurrentQueue<PortMappingState>();
        _mapper.Changed += () => states.Enqueue(_mapper.State);

        // Another router, with the same address, that speaks UPnP only.
        _pcp.Answer = MappingAnswer.Silent("nothing");
        _upnp.Answer = Granted(4321);
        ChangeNetwork();
        await Eventually.BecomesTrueAsync(() => _mapper.State is { IsSettled: true } state && state.Mappings is [{ Protocol: MappingProtocol.Upnp }], "it is mapped by UPnP");

        Assert.Equal(4321, Assert.Single(_upnp.Asked).Request.ExternalPort);
        Assert.Contains(states, static state => !state.IsSettled);
        Assert.Empty(_pcp.Removed);
    }

    [Fact]
    public async Task A_change_of_the_network_ends_a_round_that_waits_for_an_answer()
    {
        _pcp.IsHanging = true;
        _natPmp.Answer = Granted(8008);
        Start();
        await Eventually.BecomesTrueAsync(() => _pcp.Asked.Count == 1, "it is asked");

        _pcp.IsHanging = false;
        ChangeNetwork();
        await Eventually.BecomesTrueAsync(() => _mapper.State is { IsSettled: true, Mappings.Count: 1 }, "it is mapped");
    }

    [Fact]
    public async Task Without_a_router_nothing_is_asked_and_it_is_settled()
    {
        _routes = [];
        await StartAsync();
        Assert.True(_mapper.State is { IsOn: true, IsSettled: true, Gateway: null, Mappings.Count: 0, Attempts.Count: 0 });
    }

    [Fact]
    public async Task When_it_is_off_nothing_is_sent()
    {
        Make([]);
        await _mapper.RunAsync(TestContext.Current.CancellationToken);
        Assert.True(_mapper.State is { IsOn: false, IsSettled: true });
    }

    [Fact]
    public async Task When_no_port_is_listened_on_nothing_is_sent()
    {
        _ports = [];
        await StartAsync();
        Assert.Empty(_pcp.Asked);
        Assert.True(_mapper.State.IsSettled);
    }

    [Fact]
    public async Task Both_ports_are_mapped_and_given_back_on_stop()
    {
        _ports = [8008, 8080];
        _pcp.AnswerWith = static request => Granted(request.ExternalPort);
        await StartAsync();
        Assert.Equal([8008, 8080], _mapper.State.Mappings.Select(static mapping => mapping.ExternalPort));

        await StopAsync();
        Assert.Equal([8008, 8080], _pcp.Removed.Select(static request => request.ExternalPort));
        Assert.Empty(_mapper.State.Mappings);
    }

    [Fact]
    public async Task What_was_asked_for_when_the_box_stopped_is_given_back_too()
    {
        _natPmp.IsHanging = true;
        Start();
        await Eventually.BecomesTrueAsync(() => _natPmp.Asked.Count == 1, "it is asked");
        await StopAsync();
        Assert.Single(_natPmp.Removed);
    }

    [Fact]
    public async Task A_router_that_does_not_answer_holds_the_stop_up_for_three_seconds_at_most()
    {
        _pcp.Answer = Granted(8008);
        _pcp.IsRemovalHanging = true;
        await StartAsync();
        await _stopping.CancelAsync();
        await Eventually.BecomesTrueAsync(() => _pcp.Removed.Count == 1, "it is asked to remove");
        _time.Advance(TimeSpan.FromSeconds(3));
        await StopAsync();
    }

    [Fact]
    public async Task A_router_that_began_anew_is_asked_for_the_other_ports_as_well()
    {
        _ports = [8008, 8080];
        _pcp.AnswerWith = request => MappingAnswer.Granted(Outside, request.ExternalPort, request.Port == 8008 ? TimeSpan.FromMinutes(2) : TimeSpan.FromHours(1), _pcp.Epoch);
        await StartAsync();

        // The first port's lease is short: its renewal shows the restart.
        _pcp.Epoch = 3;
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _pcp.Asked.Count(static asked => asked.Request.Port == 8080));
    }

    [Fact]
    public async Task A_router_whose_seconds_always_jump_does_not_make_a_loop()
    {
        _ports = [8008, 8080];
        _pcp.AnswerWith = request => MappingAnswer.Granted(Outside, request.ExternalPort, TimeSpan.FromHours(1), _pcp.Epoch = unchecked(_pcp.Epoch - 1000));
        await StartAsync();
        for (var seconds = 0; seconds < 60; seconds++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(_pcp.Asked.Count, 4, 16);
    }

    [Fact]
    public async Task An_announcement_of_a_restart_leads_to_a_question_once_in_ten_seconds()
    {
        _pcp.Answer = Granted(8008, 5000);
        await StartAsync();
        await AdvanceAsync(TimeSpan.FromMinutes(1));

        for (var flood = 0; flood < 1000; flood++)
        {
            _mapper.Announced(Router, new GatewayAnnouncement((uint)(flood % 2), null));
        }

        await Eventually.BecomesTrueAsync(() => _pcp.Asked.Count == 2, "it is asked again");
        await AdvanceAsync(TimeSpan.FromSeconds(9));
        Assert.Equal(2, _pcp.Asked.Count);

        // The next one is heard again.
        _mapper.Announced(Router, new GatewayAnnouncement(0, null));
        await Eventually.BecomesTrueAsync(() => _time.Waiting == 1, "the mapper waits");
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        await Eventually.BecomesTrueAsync(() => _pcp.Asked.Count == 3, "it is asked once more");
    }

    [Theory]
    [InlineData(MappingProtocol.NatPmp)]
    [InlineData(MappingProtocol.Upnp)]
    internal async Task A_restart_that_is_announced_in_another_protocol_counts_as_well(MappingProtocol protocol)
    {
        var holder = protocol == MappingProtocol.NatPmp ? _natPmp : _upnp;
        holder.Answer = Granted(8008);
        await StartAsync();
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        _mapper.Announced(Router, new GatewayAnnouncement(0, null));
        await Eventually.BecomesTrueAsync(() => holder.Asked.Count == 2, "it is asked again");
    }

    [Fact]
    public async Task An_announcement_of_another_outer_address_or_of_a_router_that_was_off_leads_to_a_question()
    {
        _natPmp.Answer = Granted(8008);
        await StartAsync();
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        _mapper.Announced(Router, new GatewayAnnouncement(1060, Outside));
        _mapper.Announced(IPAddress.Parse("192.168.1.66"), new GatewayAnnouncement(1, IPAddress.Parse("203.0.113.6")));
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Single(_natPmp.Asked);

        _natPmp.Answer = MappingAnswer.Granted(IPAddress.Parse("203.0.113.6"), 8008, TimeSpan.FromHours(1), 1120);
        _mapper.Announced(Router, new GatewayAnnouncement(1120, IPAddress.Parse("203.0.113.6")));
        await Eventually.BecomesTrueAsync(() => _mapper.State.Mappings is [{ ExternalAddress: { } address }] && address.ToString() == "203.0.113.6", "the new address is known");
    }

    [Fact]
    public async Task For_IPv6_addresses_pinholes_are_asked_for_and_told_apart()
    {
        _routes = [Route("192.168.1.10"), Route("2001:db8:1::10")];
        _natPmp.Answer = Granted(8008);
        await StartAsync();

        Assert.Equal(MappingProtocol.NatPmp, Assert.Single(_mapper.State.Mappings).Protocol);
        Assert.Equal(
            [(MappingProtocol.Pcp, AddressFamily.InterNetwork), (MappingProtocol.NatPmp, AddressFamily.InterNetwork), (MappingProtocol.Pcp, AddressFamily.InterNetworkV6), (MappingProtocol.Upnp, AddressFamily.InterNetworkV6)],
            _mapper.State.Attempts.Select(static attempt => (attempt.Protocol, attempt.Family)));
    }

    private static GatewayRoute Route(string local) => new(Router, new LocalAddress(IPAddress.Parse(local), 24), 2);

    private static MappingAnswer Granted(int port, uint epoch = 1000) => MappingAnswer.Granted(Outside, port, TimeSpan.FromHours(1), epoch);

    private void Make(IReadOnlyList<IMappingClient> clients) =>
        _mapper = new PortMapper(_watch, () => _routes, _ => _ports, clients, new MappingPace(), _time, _lines);

    private void Start()
    {
        foreach (var client in (PlayedClient[])[_pcp, _natPmp, _upnp])
        {
            client.Time = _time;
        }

        Make([_pcp, _natPmp, _upnp]);
        _running = _mapper.RunAsync(_stopping.Token);
    }

    private async Task StartAsync()
    {
        Start();
        await IdleAsync();
    }

    private async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>The clock goes on, and what is due is done.</summary>
    private async Task AdvanceAsync(TimeSpan by)
    {
        for (var until = _time.GetUtcNow() + by; _time.GetUtcNow() < until;)
        {
            _time.Advance(until - _time.GetUtcNow() < TimeSpan.FromSeconds(15) ? until - _time.GetUtcNow() : TimeSpan.FromSeconds(15));
            await IdleAsync();
        }
    }

    /// <summary>The mapper has nothing to do but to wait for the clock.</summary>
    private Task IdleAsync() => Eventually.BecomesTrueAsync(() => _mapper.State.IsSettled && _time.Waiting == 1, "the mapper waits");

    private void ChangeNetwork()
    {
        _networks = [.. _networks, new LocalNetwork(_networks.Count + 1, "eth0", [], [])];
        _watch.Look();
    }

    private sealed class PlayedClient(MappingProtocol protocol) : IMappingClient
    {
        public MappingProtocol Protocol => protocol;

        public TimeSpan? LookAgain { get; init; }

        public bool IsIPv4Only { get; init; }

        public MappingAnswer Answer { get; set; } = MappingAnswer.Silent("nothing answers");

        public Func<MappingRequest, MappingAnswer>? AnswerWith { get; set; }

        public uint Epoch { get; set; } = 100_000;

        public bool IsHanging { get; set; }

        public bool IsRemovalHanging { get; set; }

        public TimeProvider Time { get; set; } = TimeProvider.System;

        public ConcurrentQueue<(MappingRequest Request, DateTimeOffset At)> Asked { get; } = new();

        public ConcurrentQueue<MappingRequest> Removed { get; } = new();

        public bool Serves(AddressFamily family) => !IsIPv4Only || family == AddressFamily.InterNetwork;

        public async Task<MappingAnswer> MapAsync(MappingRequest request, CancellationToken cancellationToken)
        {
            Asked.Enqueue((request, Time.GetUtcNow()));
            if (IsHanging)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }

            return AnswerWith?.Invoke(request) ?? Answer;
        }

        public async Task UnmapAsync(MappingRequest request, CancellationToken cancellationToken)
        {
            Removed.Enqueue(request);
            if (IsRemovalHanging)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private sealed class Lines : ILogger<PortMapper>
    {
        public ConcurrentQueue<string> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));
    }
}
