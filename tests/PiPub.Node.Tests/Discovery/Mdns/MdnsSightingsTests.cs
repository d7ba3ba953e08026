using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Discovery;
using PiPub.Node.Discovery.Mdns;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Tests.Peers;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Discovery.Mdns;

/// <summary>What becomes of the services that others announce.</summary>
public sealed class MdnsSightingsTests : IDisposable
{
    private const string Key = "opYp5rhnAl1LStpOWBC4vEoIqxkbWDgnBfQh1hQ0JQA=";
    private const string SelfKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=";

    private readonly ManualTime _time = new();
    private readonly NetworkWatch _watch;
    private readonly Told _told = new();
    private readonly LanCounters _counters;
    private readonly MdnsSightings _sightings;
    private IReadOnlyList<LocalNetwork> _networks =
        [new(2, "eth0", [new(IPAddress.Parse("192.168.7.2"), 24), new(IPAddress.Parse("2001:db8:7::2"), 64), new(IPAddress.Parse("fe80::2%2"), 64)], [])];

    public MdnsSightingsTests()
    {
        _watch = new NetworkWatch(() => _networks, _time, NullLogger<NetworkWatch>.Instance);
        _counters = new LanCounters(_time);
        _sightings = new MdnsSightings(FeedId.Parse($"@{SelfKey}.ed25519"), new Neighbourhood(_watch), _told, _counters);
    }

    [Theory]
    [InlineData("192.168.7.3", "192.168.7.3")]
    [InlineData("2001:db8:7::3", "2001:db8:7::3")]
    [InlineData("fe80::3", "fe80::3%eth0")]
    public void A_neighbour_is_told_with_the_address_that_its_host_has(string address, string host)
    {
        Find("PiPub", Service(address));

        var sighting = Assert.Single(_told.Seen);
        Assert.Equal($"@{Key}.ed25519", sighting.Feed.ToString());
        Assert.Equal($"net:{host}:8008~shs:{Key}", sighting.Address.ToString());
        Assert.Equal((LanMeans.Mdns, false, 2, "PiPub"), (sighting.Means, sighting.IsVerified, sighting.Interface, sighting.Name));
        Assert.Equal(0, _counters.DroppedServices);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.251")]
    [InlineData("255.255.255.255")]
    [InlineData("192.168.7.2")]
    [InlineData("192.168.8.3")]
    [InlineData("8.8.8.8")]
    [InlineData("2001:db8:8::1")]
    [InlineData("ff02::fb")]
    public void An_address_that_no_neighbour_has_is_dropped_and_counted(string address)
    {
        Find("PiPub", Service(address));

        Assert.Empty(_told.Seen);
        Assert.Equal(1, _counters.DroppedServices);
    }

    [Fact]
    public void Who_tells_no_id_no_address_or_no_port_is_dropped_and_counted()
    {
        Find("a", Service("192.168.7.3") with { Txt = [] });
        Find("b", Service("192.168.7.3") with { Txt = ["id=@somebody.ed25519"u8.ToArray()] });
        Find("c", Service("192.168.7.3") with { Address = null });
        Find("d", Service("192.168.7.3") with { Port = 0 });

        Assert.Empty(_told.Seen);
        Assert.Equal(4, _counters.DroppedServices);
    }

    [Fact]
    public void The_box_itself_is_nobody_and_no_offence()
    {
        Find("PiPub", Service("192.168.7.2", SelfKey));

        Assert.Empty(_told.Seen);
        Assert.Equal(0, _counters.DroppedServices);
    }

    [Fact]
    public void A_peer_is_gone_when_the_last_of_its_services_is()
    {
        Find("PiPub", Service("192.168.7.3"), protocol: 0);
        Find("PiPub", Service("fe80::3"), protocol: 1);

        _sightings.Gone(Name("PiPub", 0));
        Assert.Equal(["net:fe80::3%eth0:8008~shs:" + Key], _told.Present);

        _sightings.Gone(Name("PiPub", 1));
        Assert.Empty(_told.Present);
        _sightings.Gone(Name("PiPub", 1));
    }

    [Fact]
    public void A_peer_that_moves_is_not_at_its_old_address_any_more()
    {
        Find("PiPub", Service("192.168.7.3"));
        Find("PiPub", Service("192.168.7.4"));
        Assert.Equal(["net:192.168.7.4:8008~shs:" + Key], _told.Present);

        Find("PiPub", Service("192.168.7.4") with { Txt = [] });
        Assert.Empty(_told.Present);
    }

    [Fact]
    public void With_other_networks_other_addresses_are_neighbours()
    {
        Find("PiPub", Service("192.168.8.3"));
        Assert.Empty(_told.Present);

        _networks = [new(2, "eth0", [new(IPAddress.Parse("192.168.8.2"), 24)], [])];
        _watch.Look();
        _sightings.TellAgain();
        Assert.Equal(["net:192.168.8.3:8008~shs:" + Key], _told.Present);

        _networks = [];
        _watch.Look();
        _sightings.TellAgain();
        Assert.Empty(_told.Present);
    }

    [Fact]
    public void When_the_daemon_is_lost_everybody_is_gone()
    {
        Find("a", Service("192.168.7.3"));
        Find("b", Service("192.168.7.4", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAI="));
        Assert.Equal(2, _told.Present.Count);

        _sightings.Clear();

        Assert.Empty(_told.Present);
    }

    public void Dispose() => _watch.Dispose();

    private static ResolvedService Service(string address, string key = Key) =>
        new(IPAddress.Parse(address), 8008, [Encoding.ASCII.GetBytes($"id=@{key}.ed25519"), "address=net:127.0.0.1:22~shs:x"u8.ToArray()]);

    private static AvahiServiceName Name(string name, int protocol) => new(2, protocol, name, "local");

    private void Find(string name, ResolvedService service, int protocol = 0) => _sightings.Found(Name(name, protocol), service);

    /// <summary>Keeps what it is told as the table of peers does.</summary>
    private sealed class Told : ILanSightings
    {
        private readonly Dictionary<FeedId, HashSet<string>> _present = [];

        public List<LanSighting> Seen { get; } = [];

        public List<string> Present => [.. _present.Values.SelectMany(static addresses => addresses)];

        public void Saw(LanSighting sighting)
        {
            Seen.Add(sighting);
            _present.TryAdd(sighting.Feed, []);
            _present[sighting.Feed].Add(sighting.Address.ToString());
        }

        public void Gone(FeedId feed, LanMeans means)
        {
            Assert.Equal(LanMeans.Mdns, means);
            _present.Remove(feed);
        }
    }
}
