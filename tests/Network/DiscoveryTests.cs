using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>Boxes and a JavaScript peer with ssb-lan find each other on a LAN, with nothing configured.</summary>
public sealed class DiscoveryTests
{
    [Fact]
    public async Task Two_boxes_and_a_JavaScript_peer_see_each_other_and_replicate_once_they_follow()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        LabHost[] hosts =
        [
            await lab.AddHostAsync("kitchen", lan, "192.168.7.2/24"),
            await lab.AddHostAsync("cellar", lan, "192.168.7.3/24"),
            await lab.AddHostAsync("phone", lan, "192.168.7.4/24"),
        ];
        var dials = await Task.WhenAll(hosts.Select(host => PacketCounter.IncomingAsync(host, $"iifname eth0 {PacketCounter.Dials}")));
        var kitchen = await hosts[0].StartBoxAsync();
        var cellar = await hosts[1].StartBoxAsync();
        var phone = await hosts[2].StartLanPeerAsync();

        // Strangers are shown, and nobody dials them.
        await IsStrangerAsync(kitchen, cellar.Id, "192.168.7.3");
        await IsStrangerAsync(kitchen, phone.Id, "192.168.7.4");
        await IsStrangerAsync(cellar, kitchen.Id, "192.168.7.2");
        await IsStrangerAsync(cellar, phone.Id, "192.168.7.4");
        foreach (var host in dials)
        {
            Assert.Equal(0, await host.ReadAsync());
        }

        await kitchen.CommandAsync("follow", cellar.Id);
        await kitchen.CommandAsync("follow", phone.Id);
        await cellar.CommandAsync("follow", kitchen.Id);
        await cellar.CommandAsync("follow", phone.Id);
        await phone.FollowAsync(kitchen.Id);
        await phone.FollowAsync(cellar.Id);
        var fromPhone = await phone.PublishAsync("from the phone");
        await kitchen.CommandAsync("publish", "--text", "from the kitchen");
        await cellar.CommandAsync("publish", "--text", "from the cellar");

        await kitchen.WaitForAsync(phone.Id, fromPhone.Sequence);
        await cellar.WaitForAsync(phone.Id, fromPhone.Sequence);
        await kitchen.WaitForAsync(cellar.Id, 3);
        await cellar.WaitForAsync(kitchen.Id, 3);
        await phone.WaitForAsync(kitchen.Id, 3);
        await phone.WaitForAsync(cellar.Id, 3);
        await Seen.UntilAsync(kitchen, cellar.Id, seen => seen is { Relation: "member", IsConnected: true });
    }

    [Fact]
    public async Task A_peer_that_sends_plain_packets_only_is_seen_and_met()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var box = await (await lab.AddHostAsync("box", lan, "192.168.7.2/24")).StartBoxAsync();
        var host = await lab.AddHostAsync("old", lan, "192.168.7.3/24");
        var peer = await host.StartPeerAsync(Stack.Classic);
        var packets = await LanPackets.StartAsync(host);
        await packets.AnnounceAsync("old", LanPackets.Plain, peer.Address, "192.168.7.255");

        await Seen.UntilAsync(box, peer.Id, seen => seen.IsBy("plain"));
        var seen = (await Seen.ByAsync(box, peer.Id))!;
        Assert.False(seen.IsBy("encrypted"));
        Assert.False(seen.IsVerified);
        Assert.Equal("stranger", seen.Relation);

        await peer.FollowAsync(box.Id);
        var post = await peer.PublishAsync("as in the old days");
        await box.CommandAsync("follow", peer.Id);
        await box.WaitForAsync(peer.Id, post.Sequence);
    }

    [Fact]
    public async Task Two_boxes_meet_where_there_is_no_IPv4_and_no_router()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var oneHost = await lab.AddHostAsync("one", lan);
        var otherHost = await lab.AddHostAsync("other", lan);
        var one = await oneHost.StartBoxAsync();
        var other = await otherHost.StartBoxAsync();

        await Seen.UntilAsync(one, other.Id, seen => seen.IsBy("encrypted"));
        await Seen.UntilAsync(other, one.Id, seen => seen.IsBy("encrypted"));
        Assert.Contains(await otherHost.LinkLocalAsync(), (await Seen.ByAsync(one, other.Id))!.Address);

        await one.CommandAsync("follow", other.Id);
        await other.CommandAsync("follow", one.Id);
        await one.WaitForAsync(other.Id, 1);
        await other.WaitForAsync(one.Id, 1);
    }

    [Fact]
    public async Task What_the_box_sends_is_byte_for_byte_what_ssb_lan_would_send()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var packets = await LanPackets.StartAsync(await lab.AddHostAsync("ear", lan, "192.168.7.9/24"));
        var box = await (await lab.AddHostAsync("box", lan, "192.168.7.2/24")).StartBoxAsync();
        var address = $"net:192.168.7.2:8008~shs:{box.Id[1..^".ed25519".Length]}";

        foreach (var port in new[] { LanPackets.Plain, LanPackets.Encrypted })
        {
            HeardPacket? heard = null;
            await Eventually.BecomesTrueAsync(
                async () => (heard = Array.Find(await packets.HeardAsync(), packet => packet.Port == port && packet.From == "192.168.7.2")) is not null,
                $"the box has announced itself on port {port}");
            Assert.Equal(address, heard!.Address);
            Assert.Equal(port == LanPackets.Encrypted, heard.IsVerified);
            Assert.Equal(await packets.WriteAsync(port, address, Path.Combine(box.Directory, "secret")), heard.Hex);
        }
    }

    private static async Task IsStrangerAsync(PiPubProcess box, string id, string address)
    {
        await Seen.UntilAsync(box, id, seen => seen.IsBy("plain") && seen.IsBy("encrypted"));
        var seen = (await Seen.ByAsync(box, id))!;
        Assert.Equal("stranger", seen.Relation);
        Assert.True(seen.IsVerified);
        Assert.False(seen.IsConnected);
        Assert.StartsWith($"net:{address}:8008~shs:", seen.Address);
        Assert.Equal("eth0", seen.Interface);
    }
}
