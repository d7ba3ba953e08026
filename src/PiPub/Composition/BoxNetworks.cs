using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.Discovery;
using PiPub.Node.Discovery.Mdns;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Reachability;
using PiPub.Node.Reachability.Mapping;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Composition;

/// <summary>The box among its networks: found by neighbours, reached from outside.</summary>
internal sealed class BoxNetworks : IAsyncDisposable
{
    private readonly Closing _closing = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Func<CancellationToken, Task>> _work = [];
    private readonly ILogger _logger;
    private readonly NetworkWatch _watch;
    private readonly LanDiscovery? _discovery;
    private readonly Func<int> _ssbPort;
    private readonly MdnsPresence _mdns;
    private readonly Func<MdnsOptions> _mdnsOptions;

    /// <summary>Joins the parts and offers their methods. Nothing is sent yet.</summary>
    public BoxNetworks(PiPubOptions options, KeyPair identity, BoxNode node, BoxAddresses addresses, ILoggerFactory logs, TimeProvider time)
    {
        _logger = logs.CreateLogger<BoxNetworks>();
        _watch = _closing.Add(new NetworkWatch(time, logs.CreateLogger<NetworkWatch>()));
        node.Connections.IsOwn = _watch.IsOwn;
        node.Connections.IsOnline = () => _watch.Current.Count > 0;
        _watch.Changed += () =>
        {
            node.Server.EndStranded(_watch.IsOwn);
            node.Connections.Reset();
        };

        // Who is on the local network.
        var neighbourhood = new Neighbourhood(_watch);
        var neighbours = _closing.Add(new LanPeers(node.Graph, node.Book, neighbourhood, time));
        _discovery = options.Discovery
            ? _closing.Add(new LanDiscovery(
                new LanIdentity(identity, options.NetworkKey, options.SsbBind), _watch, neighbourhood, neighbours, time, logs.CreateLogger<LanDiscovery>()))
            : null;
        new DiscoveryMethods(neighbours, _discovery?.Counters, node.Peers, _watch, neighbourhood).Register(node.Methods);
        _ssbPort = () => addresses.SsbPort;

        // Called pipub.local, and seen in the lists of services.
        _mdns = _closing.Add(new MdnsPresence(_watch, neighbourhood, neighbours, _discovery?.Counters ?? new LanCounters(time), time, logs.CreateLogger<MdnsPresence>()));
        node.HostName = () => _mdns.HostName;
        _mdnsOptions = () => new MdnsOptions
        {
            Id = identity.Id,
            HostName = options.HostName,
            IsDiscoveryOn = options.Discovery,
            SsbBind = options.SsbBind,
            SsbPort = addresses.SsbPort,
            WebBind = options.WebBind,
            WebPort = addresses.WebPort,
        };

        // The home router passes connections on.
        var mapper = new PortMapper(_watch, addresses.PortsToMap, options.MapPort || options.MapWebPort, identity.Seed, time, logs.CreateLogger<PortMapper>());
        _work.Add(mapper.RunAsync);

        // Reached from outside.
        var reach = new ReachWatch(
            new ReachOptions { PublicHosts = options.PublicHosts, SsbBind = options.SsbBind, WebBind = options.WebBind },
            node.Server,
            node.Policy,
            _watch,
            mapper,
            () => (addresses.SsbPort, addresses.WebPort),
            time,
            logs.CreateLogger<ReachWatch>());
        addresses.Source = reach.Offered;
        node.Reachable = () => reach.Report().Line;
        Reach = reach.Report;
        new DialBackMethods(node.Server, new DialBackLimits(), _watch.Reaches, time).Register(node.Methods);
        new ReachMethods(reach.Report, () => _mdns.HostName, identity.Id).Register(node.Methods);
        _work.Add(reach.RunAsync);
    }

    /// <summary>Whether and how the box can be reached from outside.</summary>
    public Func<ReachReport> Reach { get; }

    /// <summary>Whether an address is in one of the box's own subnets, or the machine's own.</summary>
    public bool IsAtHome(IPAddress address) => _watch.IsOwn(address) || _watch.IsNeighbour(address);

    /// <summary>The machine's own addresses that will last, without loopback and those that need a zone.</summary>
    public IEnumerable<string> Addresses() =>
        _watch.Current.SelectMany(static network => network.Addresses)
            .Where(static own => !own.IsTemporary && !own.Address.IsIPv6LinkLocal)
            .Select(static own => own.Address.ToString());

    /// <summary>Ends when it is known whether the local network has a name for the box.</summary>
    public Task WhenNamed => _mdns.Settled;

    /// <summary>The networks that the machine is in now.</summary>
    public IReadOnlyList<LocalNetwork> Present => _watch.Current;

    /// <summary>Takes the host name that the options have now.</summary>
    public void Rename() => _mdns.Rename(_mdnsOptions());

    /// <summary>Begins, once it is known on which ports the box listens.</summary>
    public void Start()
    {
        _discovery?.Start(_ssbPort());
        _mdns.Start(_mdnsOptions());
        foreach (var work in _work)
        {
            _closing.Add(new Background(work, _stopping, _logger));
        }
    }

    /// <summary>Takes leave of neighbours and routers.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _closing.DisposeAsync();
        _stopping.Dispose();
    }
}
