using System.Security.Cryptography;
using PiPub.Node.Discovery;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Tests.Discovery;

public class LanListenerTests
{
    private static readonly KeyPair Somebody = KeyPair.Generate();

    [Fact]
    public void A_packet_is_read_once_and_heard_again_and_again()
    {
        using var lan = new TestLan();
        for (var i = 0; i < 5; i++)
        {
            lan.HearPlain(Somebody, "192.168.7.9");
            lan.HearEncrypted(Somebody, "192.168.7.9");
            lan.Pass(2);
        }

        Assert.Equal((10, 2, 8), (lan.Counters.Received, lan.Counters.Announcements, lan.Counters.Repeated));
        var peer = Assert.Single(lan.Peers.Snapshot());
        Assert.Equal(Somebody.Id, peer.Feed);
        Assert.Equal([LanMeans.Plain, LanMeans.Encrypted], peer.Means);
        Assert.True(peer.IsVerified);
        Assert.Equal(TestLan.Eth, peer.Interface);
        Assert.Equal(lan.Time.GetUtcNow() - TimeSpan.FromSeconds(2), peer.LastSeen);

        lan.Pass(6);
        Assert.Single(lan.Peers.Snapshot());
        lan.Pass(4);
        Assert.Empty(lan.Peers.Snapshot());
    }

    [Fact]
    public void The_box_does_not_see_itself()
    {
        using var lan = new TestLan();
        for (var i = 0; i < 3; i++)
        {
            lan.HearPlain(lan.Self, "192.168.7.2");
            lan.HearEncrypted(lan.Self, "192.168.7.2");

            // Sent back by somebody.
            lan.HearEncrypted(lan.Self, "192.168.7.2", from: "192.168.7.66");
            lan.HearEncrypted(lan.Self, "192.168.7.77", from: "192.168.7.66");
        }

        Assert.Equal((12, 12), (lan.Counters.Received, lan.Counters.Own));
        Assert.Empty(lan.Peers.Snapshot());
    }

    [Fact]
    public void What_does_not_come_from_where_it_says_must_be_signed()
    {
        using var lan = new TestLan();
        lan.HearPlain(Somebody, "192.168.7.9", from: "192.168.7.66");
        Assert.Equal(1, lan.Counters.Spoofed);
        lan.Listener.Take(EncryptedPacket.Write(TestLan.Address(Somebody, "192.168.7.9"), TestLan.Network, KeyPair.Generate()), TestLan.From("192.168.7.66"), LanMeans.Encrypted);
        Assert.Equal((2, 0), (lan.Counters.Spoofed, lan.Counters.Announcements));
        Assert.Empty(lan.Peers.Snapshot());

        // Somebody with two interfaces in one network.
        lan.HearEncrypted(Somebody, "192.168.7.9", from: "192.168.7.10");
        Assert.True(Assert.Single(lan.Peers.Snapshot()).IsVerified);
    }

    [Fact]
    public void A_wrong_signature_is_shown_as_unverified_where_it_can_be_true()
    {
        using var lan = new TestLan();
        lan.Listener.Take(EncryptedPacket.Write(TestLan.Address(Somebody, "192.168.7.9"), TestLan.Network, KeyPair.Generate()), TestLan.From("192.168.7.9"), LanMeans.Encrypted);
        Assert.Equal((1, 1), (lan.Counters.Unverified, lan.Counters.Announcements));
        Assert.False(Assert.Single(lan.Peers.Snapshot()).IsVerified);
    }

    [Fact]
    public void While_the_first_sender_is_heard_the_same_packet_from_elsewhere_is_a_replay()
    {
        using var lan = new TestLan();
        lan.HearEncrypted(Somebody, "192.168.7.9");
        for (var i = 0; i < 20; i++)
        {
            lan.Pass(1);
            lan.HearEncrypted(Somebody, "192.168.7.9", from: "192.168.7.66");
        }

        // Silent after ten seconds, whatever was replayed; from then on it is an announcement like others.
        Assert.Equal((10, 2), (lan.Counters.Replayed, lan.Counters.Announcements));
    }

    [Fact]
    public void Packets_that_tell_of_no_neighbour_are_unusable()
    {
        using var lan = new TestLan();
        lan.HearEncrypted(Somebody, "8.8.8.8", from: "192.168.7.9");
        lan.HearEncrypted(Somebody, "127.0.0.1", from: "192.168.7.9");
        lan.HearEncrypted(Somebody, "192.168.7.2", from: "192.168.7.9");
        lan.HearEncrypted(Somebody, "10.0.0.3", from: "192.168.7.9");
        lan.HearPlain(Somebody, "8.8.8.8");
        lan.HearEncrypted(Somebody, "192.168.7.9", from: "8.8.8.8");
        lan.HearEncrypted(Somebody, "192.168.7.9", from: "192.168.7.9", network: 1);
        Assert.Equal((7, 7), (lan.Counters.Received, lan.Counters.Unusable));
        Assert.Empty(lan.Peers.Snapshot());
        lan.HearEncrypted(Somebody, "10.0.0.3", network: TestLan.Wlan);
        Assert.Single(lan.Peers.Snapshot());
    }

    [Fact]
    public void What_is_no_packet_is_counted_and_nothing_else()
    {
        using var lan = new TestLan();
        lan.Listener.Take([], TestLan.From("192.168.7.9"), LanMeans.Plain);
        lan.Listener.Take("hello"u8, TestLan.From("192.168.7.9"), LanMeans.Plain);
        lan.Listener.Take("hello"u8, TestLan.From("192.168.7.9"), LanMeans.Encrypted);
        lan.Listener.Take(new byte[200], TestLan.From("192.168.7.9"), LanMeans.Encrypted);
        lan.Listener.Take(new byte[LanAnnouncement.MaxPacketLength + 1], TestLan.From("192.168.7.9"), LanMeans.Plain);
        Assert.Equal((5, 3, 1, 1), (lan.Counters.Received, lan.Counters.Malformed, lan.Counters.OtherNetwork, lan.Counters.Oversized));
        Assert.True(lan.Counters.IsOtherNetworkHeard);
        lan.Pass(31);
        Assert.False(lan.Counters.IsOtherNetworkHeard);
    }

    [Fact]
    public void A_flood_from_one_host_takes_no_memory_and_does_not_hide_others()
    {
        using var lan = new TestLan();
        var flood = new byte[64][];
        for (var i = 0; i < flood.Length; i++)
        {
            flood[i] = (i % 4) switch
            {
                0 => RandomNumberGenerator.GetBytes(200),
                1 => new byte[LanAnnouncement.MaxPacketLength + 1],
                2 => PlainPacket.Write(TestLan.Address(KeyPair.Generate(), "192.168.7.66")),
                _ => EncryptedPacket.Write(TestLan.Address(KeyPair.Generate(), "192.168.7.66"), TestLan.Network, KeyPair.Generate()),
            };
        }

        var attacker = TestLan.From("192.168.7.66");
        void Flood(int count)
        {
            for (var i = 0; i < count; i++)
            {
                lan.Listener.Take(flood[i % flood.Length], attacker, i % 2 == 0 ? LanMeans.Plain : LanMeans.Encrypted);
            }
        }

        Flood(2000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Flood(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.InRange(lan.Counters.Received - lan.Counters.OverLimit - lan.Counters.Oversized, 1, SourceBuckets.AtOnce);

        lan.HearPlain(Somebody, "192.168.7.9");
        lan.HearEncrypted(Somebody, "192.168.7.9");
        Assert.Contains(lan.Peers.Snapshot(), peer => peer.Feed == Somebody.Id && peer.IsVerified);

        // And goes on seeing them, second after second.
        for (var second = 0; second < 20; second++)
        {
            Flood(10_000);
            lan.HearEncrypted(Somebody, "192.168.7.9");
            lan.Pass(1);
        }

        Assert.Contains(lan.Peers.Snapshot(), peer => peer.Feed == Somebody.Id && peer.IsVerified);
        Assert.InRange(lan.Counters.Received - lan.Counters.OverLimit - lan.Counters.Oversized, 1, SourceBuckets.AtOnce + (21 * SourceBuckets.PerSecond) + 30);
    }

    [Fact]
    public void A_flood_from_made_up_senders_is_limited_in_all_and_leaves_those_known_alone()
    {
        using var lan = new TestLan();
        lan.HearEncrypted(Somebody, "192.168.7.9");
        for (var i = 0; i < 5000; i++)
        {
            lan.Listener.Take("net:10.9.9.9:8008~shs:x"u8, TestLan.From($"10.0.{i / 250}.{1 + (i % 250)}", TestLan.Wlan), LanMeans.Plain);
            if (i % 1000 == 0)
            {
                lan.HearEncrypted(Somebody, "192.168.7.9");
            }
        }

        Assert.Equal(5, lan.Counters.Repeated);
        Assert.Equal(LanListener.ReadPerSecond, lan.Counters.Malformed + lan.Counters.Announcements);
        Assert.Equal(5000 - lan.Counters.Malformed, lan.Counters.OverLimit);
    }

    [Fact]
    public void Nobody_loses_their_share_to_the_many_that_share_a_row_of_the_table_with_them()
    {
        var buckets = new SourceBuckets(TimeProvider.System);
        var flooder = new LanSource(1, 1);
        for (var i = 0; i < SourceBuckets.AtOnce; i++)
        {
            Assert.True(buckets.Take(flooder, 1));
        }

        for (var i = 2; i < 2000; i++)
        {
            Assert.True(buckets.Take(new LanSource((UInt128)i, 1), 1));
        }

        // Still known, with nothing left to spend.
        Assert.False(buckets.Take(flooder, 1));
        Assert.True(buckets.Take(flooder, 1 + TimeProvider.System.TimestampFrequency));
    }
}
