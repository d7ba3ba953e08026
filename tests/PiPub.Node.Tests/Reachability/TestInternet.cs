using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Peers;
using PiPub.Node.Reachability;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Node.Tests.Reachability;

/// <summary>An internet inside the test: who is dialled at which address, and where the dialler seems to come from.</summary>
internal sealed class TestInternet
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (TestHome Home, string Inside)> _doors = [];

    public void Open(string hostAndPort, TestHome home, string? inside = null)
    {
        lock (_gate)
        {
            _doors[hostAndPort] = (home, inside ?? home.Inside);
        }
    }

    public void Close(string hostAndPort)
    {
        lock (_gate)
        {
            _ = _doors.Remove(hostAndPort);
        }
    }

    public PeerTransport Dial(MultiserverAddress address, TestHome from)
    {
        var scheme = address.Transport == MultiserverTransport.Net ? "net" : "ws";
        (TestHome Home, string Inside) door;
        lock (_gate)
        {
            if (!_doors.TryGetValue($"{address.Host}:{address.Port}", out door))
            {
                throw new PeerConnectException("Nobody answers there.");
            }
        }

        var (to, fro) = (new Pipe(), new Pipe());
        _ = door.Home.Node.Server.AcceptAsync(new PeerTransport(new Ends(to.Reader, fro.Writer), IPAddress.Parse(from.Outside), $"{scheme}:{from.Outside}:40000", Abort) { Local = IPAddress.Parse(door.Inside) });
        _ = PeerHost.TryParseAddress(address.Host, out var remote);
        return new PeerTransport(new Ends(fro.Reader, to.Writer), remote, address.ToString(), Abort) { Local = IPAddress.Parse(from.Inside) };

        void Abort()
        {
            to.Writer.CancelPendingFlush();
            to.Reader.CancelPendingRead();
            fro.Reader.CancelPendingRead();
        }
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}

/// <summary>A node behind a router of its own in the <see cref="TestInternet"/>.</summary>
internal sealed class TestHome : IAsyncDisposable, IPeerDialer, IPortMappings
{
    private readonly TestInternet _internet;
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private Task _running = Task.CompletedTask;

    public TestHome(TestInternet internet, string outside, string inside = "192.168.1.20", ReachOptions? options = null, DialBackLimits? limits = null, bool knowsDialBack = true, TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        (_internet, Outside, Inside) = (internet, outside, inside);
        Node = new TestNode(new PeerOptions { HandshakeTimeout = TimeSpan.FromSeconds(30) }, dialer: this);
        var network = new LocalNetwork(2, "eth0", [new LocalAddress(IPAddress.Parse(inside), 24)], [IPAddress.Parse("192.168.1.1")]);
        Networks = [network];
        Watch = new NetworkWatch(() => Networks, _time, NullLogger<NetworkWatch>.Instance);
        State = new PortMappingState(true, IPAddress.Parse("192.168.1.1"), [], [], true);
        Reach = new ReachWatch(
            options ?? Quick, Node.Server, Node.Policy, Watch, this, static () => (8008, 8080), _time, NullLogger<ReachWatch>.Instance);
        if (knowsDialBack)
        {
            new DialBackMethods(Node.Server, limits ?? new DialBackLimits { TimeLimit = TimeSpan.FromSeconds(3) }, Watch.Reaches, TimeProvider.System).Register(Node.Methods);
        }
    }

    public event Action? Changed;

    public static ReachOptions Quick { get; } = new() { Settling = TimeSpan.FromMilliseconds(1), LeastPause = TimeSpan.FromMilliseconds(50) };

    public TestNode Node { get; }

    public NetworkWatch Watch { get; }

    public ReachWatch Reach { get; }

    public string Outside { get; }

    public string Inside { get; }

    public IReadOnlyList<LocalNetwork> Networks { get; set; }

    public PortMappingState State { get; private set; }

    public List<MultiserverAddress> Dialled { get; } = [];

    public void Start() => _running = Reach.RunAsync(_stop.Token);

    public void Map(params PortMapping[] mappings)
    {
        State = State with { Mappings = mappings };
        Changed?.Invoke();
    }

    public void MapSsb(string outer) => Map(new PortMapping(MappingProtocol.Upnp, 8008, IPAddress.Parse(outer), 8008, null));

    public MultiserverAddress At(string host, int port = 8008) => MultiserverAddress.Of(MultiserverTransport.Net, host, port, Node.Id);

    public Task<Peer> ConnectAsync(TestHome other) => ConnectAsync(other.At(other.Outside));

    public async Task<Peer> ConnectAsync(MultiserverAddress address)
    {
        var peer = await Node.Server.ConnectAsync(address, publicOnly: false, TestContext.Current.CancellationToken);
        await Peers.Eventually.TrueAsync(() => Node.Table.FindConnected(peer.Id) is not null, "connected");
        return peer;
    }

    public bool CanDial(MultiserverAddress address) => true;

    public ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
    {
        lock (Dialled)
        {
            Dialled.Add(address);
        }

        return publicOnly && address.Scope != AddressScope.Public
            ? throw new PeerConnectException("That is not a public address.")
            : ValueTask.FromResult(_internet.Dial(address, this));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Node.DisposeAsync();
        Watch.Dispose();
        _stop.Dispose();
    }
}
