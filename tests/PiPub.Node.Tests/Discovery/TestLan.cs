using System.Buffers.Binary;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Discovery;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Peers;
using PiPub.Node.SocialGraph;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Discovery;

/// <summary>A box on made-up networks, with everything of discovery but the sockets.</summary>
internal sealed class TestLan : IDisposable
{
    public const int Eth = 2;
    public const int Wlan = 3;

    private readonly TestState _state = new();

    public TestLan()
    {
        Watch = new NetworkWatch(() => Networks, Time, NullLogger<NetworkWatch>.Instance);
        Neighbourhood = new Neighbourhood(Watch);
        Graph = new FollowGraph(Self.Id);
        Book = new AddressBook(new KnownAddressesTable(_state.Database), Self.Id);
        Peers = new LanPeers(Graph, Book, Neighbourhood, Time);
        Counters = new LanCounters(Time);
        Listener = new LanListener(Self.Id, Network, Neighbourhood, Peers, Counters, Time);
    }

    public static NetworkKey Network { get; } = TestNode.Network;

    public KeyPair Self { get; } = KeyPair.Generate();

    public ManualTime Time { get; } = new();

    public IReadOnlyList<LocalNetwork> Networks { get; set; } =
    [
        Interface(Eth, "eth0", "192.168.7.2/24", "fd00:7::2/64", "fe80::2/64"),
        Interface(Wlan, "wlan0", "10.0.0.2/8"),
    ];

    public NetworkWatch Watch { get; }

    public Neighbourhood Neighbourhood { get; }

    public FollowGraph Graph { get; }

    public AddressBook Book { get; }

    public LanPeers Peers { get; }

    public LanCounters Counters { get; }

    public LanListener Listener { get; }

    public static LocalNetwork Interface(int index, string name, params string[] addresses) => new(
        index,
        name,
        [
            .. addresses.Select(text =>
            {
                var (ip, length) = (IPAddress.Parse(text[..text.IndexOf('/')]), int.Parse(text[(text.IndexOf('/') + 1)..]));
                return new LocalAddress(ip.IsIPv6LinkLocal ? new IPAddress(ip.GetAddressBytes(), index) : ip, length);
            }),
        ],
        []);

    public static MultiserverAddress Address(KeyPair who, string host, int port = 8008, string transport = "net")
    {
        Assert.True(MultiserverAddress.TryParse($"{transport}:{host}:{port}~shs:{Convert.ToBase64String(who.Id.AsSpan())}", out var address));
        return address;
    }

    public static LanSource From(string ip, int network = Eth)
    {
        var address = IPAddress.Parse(ip);
        return new LanSource(BinaryPrimitives.ReadUInt128BigEndian(address.MapToIPv6().GetAddressBytes()), network);
    }

    public void HearPlain(KeyPair who, string host, string? from = null, int network = Eth) =>
        Listener.Take(PlainPacket.Write(Address(who, host)), From(from ?? host, network), LanMeans.Plain);

    public void HearEncrypted(KeyPair who, string host, string? from = null, int network = Eth) =>
        Listener.Take(EncryptedPacket.Write(Address(who, host), Network, who), From(from ?? host, network), LanMeans.Encrypted);

    public void Follow(FeedId feed) => Graph.Apply([new ContactEdge(Self.Id, feed, ContactState.Following)]);

    public string[] Booked() => [.. Book.All.Select(static booked => booked.Address.ToString()[..booked.Address.ToString().IndexOf('~')])];

    public string[] Seen(KeyPair who) =>
        Peers.Snapshot().FirstOrDefault(peer => peer.Feed == who.Id)?.Addresses.Select(static address => address.Host).ToArray() ?? [];

    /// <summary>Time passes as it does in LanDiscovery.</summary>
    public void Pass(double seconds)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        Listener.ForgetSilent();
        Peers.Expire();
    }

    public void ChangeNetworks(params LocalNetwork[] networks)
    {
        Networks = networks;
        Watch.Look();
        Listener.Forget();
        Peers.Recheck();
    }

    public void Dispose()
    {
        Peers.Dispose();
        Watch.Dispose();
        _state.Dispose();
    }
}
