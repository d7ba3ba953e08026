using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Peers;

/// <summary>The connected part of a node, on loopback, with a network key of its own.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    public static readonly NetworkKey Network = new(new Bytes32(RandomNumberGenerator.GetBytes(32)));

    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-peers").FullName;
    private readonly StateDatabase _state;
    private readonly TcpDialer _dialer = new(NullLoggerFactory.Instance);
    private readonly GossipPing _ping;
    private readonly TimeProvider _time;
    private WebApplication? _app;

    public TestNode(PeerOptions? options = null, TimeProvider? time = null, NetworkKey? network = null, KeyPair? self = null, IEnumerable<IPeerService>? services = null, IPeerDialer? dialer = null, ILogger<PeerServer>? logger = null)
    {
        Self = self ?? KeyPair.Generate();
        Options = options ?? new PeerOptions();
        _time = time ?? TimeProvider.System;
        Table = new PeerTable(_time);
        _ping = new GossipPing(Table, Options, _time);
        _ping.Register(Methods);
        Server = new PeerServer(Self, network ?? Network, Methods, [_ping, .. services ?? []], [dialer ?? _dialer], Policy, Table, Options, _time, logger ?? NullLogger<PeerServer>.Instance);
        _state = StateDatabase.Open(_directory);
        Book = new AddressBook(new KnownAddressesTable(_state), Self.Id);
        new PeerMethods(Server, Book).Register(Methods);
        Scheduler = new ConnectionScheduler(Server, Book, Policy, Options, _time, NullLogger<ConnectionScheduler>.Instance, new Random(1));
    }

    public KeyPair Self { get; }

    public FeedId Id => Self.Id;

    public PeerOptions Options { get; }

    public RpcMethods Methods { get; } = new();

    public TestPolicy Policy { get; } = new();

    public PeerTable Table { get; }

    public PeerServer Server { get; }

    public AddressBook Book { get; }

    public ConnectionScheduler Scheduler { get; }

    public string DataDirectory => _directory;

    public int Port { get; private set; }

    public MultiserverAddress Address => MultiserverAddress.Of(MultiserverTransport.Net, "127.0.0.1", Port, Id);

    public async Task<TestNode> ListenAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseSockets(PeerListening.Configure)
            .ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseConnectionHandler<PeerConnectionHandler>()));
        builder.Services.AddSingleton(Server);
        _app = builder.Build();
        await _app.StartAsync();
        var address = _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Port = new Uri(address).Port;
        return this;
    }

    public StateDatabase ReopenState() => StateDatabase.Open(_directory);

    public async ValueTask DisposeAsync()
    {
        await Scheduler.DisposeAsync();
        await Server.DisposeAsync();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await _ping.DisposeAsync();
        _dialer.Dispose();
        _state.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>Who is welcome, as the test says.</summary>
internal sealed class TestPolicy : IPeerPolicy
{
    private readonly Lock _gate = new();
    private readonly HashSet<FeedId> _blocked = [];

    public event Action<FeedId>? Blocked;

    public HashSet<FeedId> Invites { get; } = [];

    public Dictionary<FeedId, int> Hops { get; } = [];

    public ValueTask<PeerAdmission> AdmitAsync(FeedId remote, bool isOutgoing, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return new(_blocked.Contains(remote) ? PeerAdmission.Refused : Invites.Contains(remote) ? PeerAdmission.Invite : PeerAdmission.Peer);
        }
    }

    public int? HopsOf(FeedId feed)
    {
        lock (_gate)
        {
            return !_blocked.Contains(feed) && Hops.TryGetValue(feed, out var hops) ? hops : null;
        }
    }

    public void Block(FeedId feed)
    {
        lock (_gate)
        {
            _ = _blocked.Add(feed);
        }

        Blocked?.Invoke(feed);
    }
}

/// <summary>Waits for what will come to be, with a generous limit.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string what)
    {
        for (var i = 0; i < 1500; i++)
        {
            if (condition())
            {
                return;
            }

            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        Assert.Fail($"This did not come to be: {what}");
    }
}
