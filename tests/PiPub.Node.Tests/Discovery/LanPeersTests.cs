using PiPub.Node.Discovery;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Discovery;

public class LanPeersTests
{
    private static readonly KeyPair Friend = KeyPair.Generate();
    private static readonly KeyPair Stranger = KeyPair.Generate();

    [Fact]
    public void Friends_are_dialled_while_they_are_seen_and_strangers_are_only_listed()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        lan.HearPlain(Friend, "192.168.7.9");
        lan.HearEncrypted(Stranger, "192.168.7.10");
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());
        Assert.Equal(AddressSource.LocalNetwork, lan.Book.All[0].Source);
        Assert.Equal([LanRelation.Member, LanRelation.Stranger], lan.Peers.Snapshot().Select(peer => peer.Relation));

        lan.Pass(12);
        Assert.Empty(lan.Booked());
        Assert.Empty(lan.Peers.Snapshot());
    }

    [Fact]
    public void A_stranger_who_becomes_a_friend_is_dialled_and_one_who_is_blocked_no_more()
    {
        using var lan = new TestLan();
        var changes = 0;
        lan.Peers.Changed += () => changes++;
        lan.HearPlain(Stranger, "192.168.7.9");
        Assert.Equal(1, changes);
        Assert.Empty(lan.Booked());

        lan.Follow(Stranger.Id);
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());
        Assert.Equal(2, changes);

        lan.Graph.Apply([new ContactEdge(lan.Self.Id, Stranger.Id, ContactState.Blocking)]);
        Assert.Empty(lan.Booked());
        Assert.Equal(LanRelation.Blocked, Assert.Single(lan.Peers.Snapshot()).Relation);
        Assert.Equal(3, changes);

        lan.HearPlain(Stranger, "192.168.7.9");
        Assert.Equal(3, changes);
    }

    [Fact]
    public void A_friend_of_a_member_is_a_friend()
    {
        using var lan = new TestLan();
        lan.Graph.Apply([new ContactEdge(lan.Self.Id, Stranger.Id, ContactState.Following), new ContactEdge(Stranger.Id, Friend.Id, ContactState.Following)]);
        lan.HearPlain(Friend, "192.168.7.9");
        Assert.Equal(LanRelation.Friend, Assert.Single(lan.Peers.Snapshot()).Relation);
        Assert.Single(lan.Booked());
    }

    [Fact]
    public void A_signed_address_keeps_others_from_being_dialled()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        lan.HearPlain(Friend, "192.168.7.66");
        Assert.Equal(["net:192.168.7.66:8008"], lan.Booked());
        lan.HearEncrypted(Friend, "192.168.7.9");
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());
        Assert.Equal(["192.168.7.9", "192.168.7.66"], lan.Seen(Friend));

        lan.Pass(8);
        lan.HearPlain(Friend, "192.168.7.66");
        lan.Pass(4);
        Assert.Equal(["net:192.168.7.66:8008"], lan.Booked());
    }

    [Fact]
    public void What_the_owner_gave_stays_when_it_is_seen_no_more()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        lan.Book.Remember(TestLan.Address(Friend, "192.168.7.9"), AddressSource.Owner);
        lan.HearPlain(Friend, "192.168.7.9");
        lan.Pass(12);
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());

        // Also when it was given meanwhile.
        lan.HearPlain(Friend, "192.168.7.10");
        lan.Book.Remember(TestLan.Address(Friend, "192.168.7.10"), AddressSource.Owner);
        lan.Pass(12);
        Assert.Equal(2, lan.Booked().Length);
    }

    [Fact]
    public void Services_stay_until_they_say_goodbye_and_carry_names()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        lan.Peers.Saw(new LanSighting(Friend.Id, TestLan.Address(Friend, "fe80::9"), LanMeans.Mdns, false, TestLan.Eth, "Anna's \u001b[31mbox"));
        lan.Pass(60);
        var peer = Assert.Single(lan.Peers.Snapshot());
        Assert.Equal("Anna's [31mbox", peer.Name);
        Assert.Equal([LanMeans.Mdns], peer.Means);
        Assert.Equal(["net:fe80::9%eth0:8008"], lan.Booked());

        lan.HearPlain(Friend, "192.168.7.9");
        lan.Peers.Gone(Friend.Id, LanMeans.Mdns);
        Assert.Equal(["192.168.7.9"], lan.Seen(Friend));
        Assert.Null(lan.Peers.Snapshot()[0].Name);
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());

        lan.Peers.Saw(new LanSighting(Stranger.Id, TestLan.Address(Stranger, "192.168.7.10"), LanMeans.Mdns, false, TestLan.Eth));
        lan.Pass(3 * 60 * 60);
        Assert.Empty(lan.Peers.Snapshot());
    }

    [Fact]
    public void What_other_sources_tell_is_judged_too()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        foreach (var host in (string[])["8.8.8.8", "127.0.0.1", "192.168.7.2", "10.0.0.3", "pipub.local"])
        {
            lan.Peers.Saw(new LanSighting(Friend.Id, TestLan.Address(Friend, host), LanMeans.Mdns, false, TestLan.Eth));
        }

        lan.Peers.Saw(new LanSighting(Friend.Id, TestLan.Address(Stranger, "192.168.7.9"), LanMeans.Mdns, false, TestLan.Eth));
        lan.Peers.Saw(new LanSighting(lan.Self.Id, TestLan.Address(lan.Self, "192.168.7.9"), LanMeans.Mdns, false, TestLan.Eth));
        Assert.Empty(lan.Peers.Snapshot());
        Assert.Empty(lan.Booked());
    }

    [Fact]
    public void An_interface_that_goes_takes_its_neighbours_with_it()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        lan.HearEncrypted(Friend, "192.168.7.9");
        lan.HearEncrypted(Friend, "10.0.0.9", network: TestLan.Wlan);
        lan.HearEncrypted(Stranger, "10.0.0.10", network: TestLan.Wlan);
        lan.ChangeNetworks(lan.Networks[0]);
        Assert.Equal(["net:192.168.7.9:8008"], lan.Booked());
        Assert.Equal(Friend.Id, Assert.Single(lan.Peers.Snapshot()).Feed);

        lan.ChangeNetworks(TestLan.Interface(TestLan.Eth, "eth0", "172.16.5.2/16"));
        Assert.Empty(lan.Booked());
        lan.HearEncrypted(Friend, "172.16.200.9");
        Assert.Equal(["net:172.16.200.9:8008"], lan.Booked());
    }

    [Fact]
    public void One_peer_has_four_addresses_and_one_liar_one_of_them()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        for (var port = 9000; port < 9020; port++)
        {
            Hear(TestLan.Address(Friend, "192.168.7.66", port), isVerified: false);
        }

        Assert.Equal(["192.168.7.66"], lan.Seen(Friend));
        Assert.Equal(["net:192.168.7.66:9000"], lan.Booked());
        for (var i = 1; i < 20; i++)
        {
            Hear(TestLan.Address(Friend, $"192.168.7.{100 + i}"), isVerified: false);
        }

        Assert.Equal(4, lan.Seen(Friend).Length);
        for (var i = 1; i < 20; i++)
        {
            Hear(TestLan.Address(Friend, $"192.168.7.{200 + i}"), isVerified: true);
        }

        Assert.Equal(["192.168.7.201", "192.168.7.202", "192.168.7.203", "192.168.7.204"], lan.Seen(Friend).Order(StringComparer.Ordinal));
        Assert.Equal(4, lan.Booked().Length);

        void Hear(MultiserverAddress address, bool isVerified) =>
            lan.Peers.Saw(new LanSighting(Friend.Id, address, LanMeans.Encrypted, isVerified, TestLan.Eth));
    }

    [Fact]
    public void However_many_announce_themselves_the_list_is_bounded_and_friends_are_on_it()
    {
        using var lan = new TestLan();
        lan.Follow(Friend.Id);
        for (var i = 0; i < 1000; i++)
        {
            lan.Peers.Saw(Sighting(KeyPair.Generate(), $"10.0.{i / 250}.{3 + (i % 250)}", isVerified: false));
        }

        Assert.Equal(256, lan.Peers.Snapshot().Count);
        lan.Peers.Saw(Sighting(Stranger, "10.1.0.1", isVerified: true));
        lan.Peers.Saw(Sighting(Friend, "10.1.0.2", isVerified: false));
        Assert.Equal(256, lan.Peers.Snapshot().Count);
        Assert.Equal(Friend.Id, lan.Peers.Snapshot()[0].Feed);
        Assert.Equal(["10.1.0.1"], lan.Seen(Stranger));

        static LanSighting Sighting(KeyPair who, string host, bool isVerified) =>
            new(who.Id, TestLan.Address(who, host), LanMeans.Encrypted, isVerified, TestLan.Wlan);
    }

    [Fact]
    public void One_host_does_not_fill_the_list()
    {
        using var lan = new TestLan();
        for (var i = 0; i < 100; i++)
        {
            lan.HearPlain(KeyPair.Generate(), "192.168.7.66");
            lan.Pass(0.1);
        }

        Assert.Equal(8, lan.Peers.Snapshot().Count);
        lan.Follow(Friend.Id);
        lan.HearPlain(Friend, "192.168.7.66");
        Assert.Equal(9, lan.Peers.Snapshot().Count);
    }
}
