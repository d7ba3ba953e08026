using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>The lab itself, with nothing of PiPub in it: what fails in other tests is then not the lab.</summary>
public sealed class LabTests
{
    [Fact]
    public async Task Hosts_on_a_switch_hear_each_other_by_IPv4_IPv6_and_link_local_addresses()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var a = await lab.AddHostAsync("a", lan, "192.168.7.2/24", "fd00:7::2/64");
        var b = await lab.AddHostAsync("b", lan, "192.168.7.3/24", "fd00:7::3/64");

        var listener = await Listener.StartAsync(b, 8008);

        string[] addresses = ["192.168.7.3", "fd00:7::3", $"{await b.LinkLocalAsync()}%eth0"];
        foreach (var address in addresses)
        {
            Assert.True(await Listener.AnswersAsync(a, address, 8008), address);
        }

        Assert.False(await Listener.AnswersAsync(a, addresses[0], 8009));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(listener.Callers.Count == addresses.Length), "the listener has seen them");
    }

    [Fact]
    public async Task JavaScript_peers_on_a_switch_find_each_other_by_ssb_lan()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var one = await (await lab.AddHostAsync("one", lan, "192.168.7.2/24")).StartLanPeerAsync();
        var other = await (await lab.AddHostAsync("other", lan, "192.168.7.3/24")).StartLanPeerAsync();
        await one.FollowAsync(other.Id);
        await other.FollowAsync(one.Id);

        var post = await one.PublishAsync("hello, neighbour");
        await other.WaitForAsync(one.Id, post.Sequence);
    }

    [Fact]
    public async Task A_box_and_a_JavaScript_peer_that_dials_it_meet_on_a_switch()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var box = await (await lab.AddHostAsync("box", lan, "192.168.7.2/24")).StartBoxAsync();
        var peer = await (await lab.AddHostAsync("peer", lan, "192.168.7.3/24")).StartLanPeerAsync();

        await box.WelcomeAsync(peer);

        var post = await peer.PublishAsync("hello, box");
        await box.WaitForAsync(peer.Id, post.Sequence);
    }

    [Fact]
    public async Task A_router_lets_out_lets_nothing_in_and_passes_on_what_miniupnpd_was_asked_to()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var wan = await lab.AddSwitchAsync("wan");
        var router = await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "1.2.3.7/24");
        var inside = await lab.AddHostAsync("inside", lan, "192.168.7.2/24");
        await inside.AddDefaultRouteAsync("192.168.7.1");
        var outside = await lab.AddHostAsync("outside", wan, "1.2.3.200/24");
        await router.StartMiniUpnpdAsync();
        await Listener.StartAsync(inside, 8008);
        var web = await Listener.StartAsync(outside, 80);

        Assert.True(await Listener.AnswersAsync(inside, "1.2.3.200", 80));
        // It tells of its caller a moment after it has answered.
        await Eventually.BecomesTrueAsync(() => Task.FromResult(web.Callers.Count > 0), "the listener has told who called");
        Assert.Equal(["::ffff:1.2.3.7"], web.Callers);
        Assert.False(await Listener.AnswersAsync(outside, "1.2.3.7", 8008));

        await inside.RunAsync("natpmpc", "-g", "192.168.7.1", "-a", "8008", "8008", "tcp", "300");
        Assert.Contains("192.168.7.2:8008", Assert.Single(await router.MappingsAsync()));
        Assert.True(await Listener.AnswersAsync(outside, "1.2.3.7", 8008));
    }

    [Fact]
    public async Task An_avahi_on_one_host_is_resolved_by_an_avahi_on_another()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var a = await lab.AddHostAsync("a", lan, "192.168.7.2/24");
        var b = await lab.AddHostAsync("b", lan, "192.168.7.3/24");
        await Avahi.StartAsync(a, "kitchen");
        await Avahi.StartAsync(b, "cellar");

        Assert.Contains("192.168.7.2", await b.RunAsync("avahi-resolve-host-name", "-4", "kitchen.local"));
    }
}
