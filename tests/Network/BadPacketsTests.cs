using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>Somebody on the LAN lies, or shouts.</summary>
public sealed class BadPacketsTests
{
    private const string Broadcast = "192.168.7.255";

    [Fact]
    public async Task Announced_addresses_that_are_not_of_the_LAN_are_never_dialled()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "1.2.3.7/24");
        var boxHost = await lab.AddHostAsync("box", lan, "192.168.7.2/24");
        await boxHost.AddDefaultRouteAsync("192.168.7.1");
        var liarHost = await lab.AddHostAsync("liar", lan, "192.168.7.66/24");
        var liar = await LanPackets.StartAsync(liarHost);
        var outside = await Listener.StartAsync(await lab.AddHostAsync("outside", wan, "1.2.3.200/24"), 8008);
        var honest = await Listener.StartAsync(liarHost, 8010);
        var box = await boxHost.StartBoxAsync("--map-port", "off");
        var all = await PacketCounter.OutgoingAsync(boxHost, PacketCounter.Dials);
        var toHonest = await PacketCounter.OutgoingAsync(boxHost, $"ip daddr 192.168.7.66 tcp dport 8010 {PacketCounter.Dials}");

        // Each is announced in the name of a friend of its own, whom the box would dial anywhere on its LAN. (A link-local
        // address is not among them: the interface on which it is heard says where it is.)
        string[] lies =
        [
            "127.0.0.1:8080", "0.0.0.0:8008", "192.168.7.2:8080", "192.168.7.2:8008", "192.168.7.255:8008", "224.0.0.1:8008",
            "::1:8080", "::ffff:127.0.0.1:8080", "1.2.3.200:8008", "192.168.8.1:8008", "localhost:8080",
        ];
        for (var number = 0; number < lies.Length; number++)
        {
            var name = $"friend {number}";
            await box.CommandAsync("follow", await liar.IdOfAsync(name));
            await liar.AnnounceAsync(name, LanPackets.Plain, $"net:{lies[number]}~shs:KEY", Broadcast);
            await liar.AnnounceAsync(name, LanPackets.Encrypted, $"net:{lies[number]}~shs:KEY", Broadcast);
        }

        var id = await liar.IdOfAsync("honest");
        await box.CommandAsync("follow", id);
        await liar.AnnounceAsync("honest", LanPackets.Encrypted, "net:192.168.7.66:8010~shs:KEY", Broadcast);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(honest.Callers.Count > 0), "what is true is dialled");
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);

        Assert.Empty(outside.Callers);
        Assert.Equal(await toHonest.ReadAsync(), await all.ReadAsync());
        Assert.Equal([id], (await Seen.AllAsync(box)).Select(seen => seen.Id));
    }

    [Fact]
    public async Task Ten_thousand_packets_a_second_leave_the_box_at_work()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var boxHost = await lab.AddHostAsync("box", lan, "192.168.7.2/24");
        var shouter = await LanPackets.StartAsync(await lab.AddHostAsync("shouter", lan, "192.168.7.66/24"));
        var friend = await (await lab.AddHostAsync("friend", lan, "192.168.7.3/24")).StartLanPeerAsync();
        var box = await boxHost.StartBoxAsync();
        var received = await PacketCounter.IncomingAsync(boxHost, "ip saddr 192.168.7.66 udp dport 26830");

        // To the box alone: broadcast, it would drown the JavaScript peer, who is not the one on trial.
        var shouting = shouter.FloodAsync(10_000, seconds: 30, LanPackets.Encrypted, "192.168.7.2");
        await Eventually.BecomesTrueAsync(async () => await received.ReadAsync() > 5_000, "the flood arrives");
        await Seen.UntilAsync(box, friend.Id, seen => seen.IsBy("encrypted"));
        await box.CommandAsync("follow", friend.Id);
        await friend.FollowAsync(box.Id);
        var post = await friend.PublishAsync("can you hear me?");
        await box.WaitForAsync(friend.Id, post.Sequence);

        Assert.False(shouting.IsCompleted, "The flood was over before the friend was heard.");
        var sent = await shouting;
        TestContext.Current.TestOutputHelper!.WriteLine($"{sent} packets were sent in 30 s, {await received.ReadAsync()} arrived.");
        Assert.InRange(sent, 150_000, 300_000);
        Assert.InRange((await Seen.AllAsync(box)).Length, 1, 256);
    }
}
