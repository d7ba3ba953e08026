using System.Text.Json;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>The box on the local network by mDNS and DNS-SD, as the distribution's avahi on other hosts sees it.</summary>
public sealed class MdnsTests
{
    private const string Absent = "is not called pipub.local on the local network";

    [Fact]
    public async Task Another_host_resolves_pipub_local_and_browses_the_page_and_the_peer()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24", "fd00:7::2/64"), await lab.AddHostAsync("other", lan, "192.168.7.3/24", "fd00:7::3/64"));
        await Avahi.StartAsync(host, "laptop");
        await Avahi.StartAsync(other, "cellar");

        var box = await host.StartBoxAsync();
        await BecomesAsync(box, "pipub.local");

        Assert.Equal("192.168.7.2", await ResolveAsync(other, "pipub.local"));
        Assert.Equal("fd00:7::2", await ResolveAsync(other, "pipub.local", "-6"));
        Assert.Equal("192.168.7.2", await ResolveAsync(other, "laptop.local"));
        var key = box.Id[1..^".ed25519".Length];
        var peer = await BrowseAsync(other, "_ssb._tcp", "PiPub");
        Assert.Equal(("pipub.local", "192.168.7.2", "8008"), (peer.Host, peer.Address, peer.Port));
        Assert.Contains($"\"id={box.Id}\"", peer.Txt);
        Assert.Contains($"\"address=net:pipub.local:8008~shs:{key};ws://pipub.local:{box.Web}~shs:{key}\"", peer.Txt);
        var page = await BrowseAsync(other, "_http._tcp", "PiPub");
        Assert.Equal(("pipub.local", "192.168.7.2", box.Web, "\"path=/\""), (page.Host, page.Address, page.Port, page.Txt));
    }

    [Fact]
    public async Task Of_two_boxes_that_want_the_same_name_one_takes_the_next_and_says_why()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (first, second) = (await lab.AddHostAsync("first", lan, "192.168.7.2/24"), await lab.AddHostAsync("second", lan, "192.168.7.3/24"));
        var other = await lab.AddHostAsync("other", lan, "192.168.7.4/24");
        await Avahi.StartAsync(first, "attic");
        await Avahi.StartAsync(second, "garage");
        await Avahi.StartAsync(other, "cellar");

        var box = await first.StartBoxAsync("--log-level", "info");
        await BecomesAsync(box, "pipub.local");
        var next = await second.StartBoxAsync("--log-level", "info");
        await BecomesAsync(next, "pipub-2.local");

        Assert.Equal(1, Count(box.Log, "this box is called pipub.local."));
        Assert.Equal(1, Count(next.Log, "this box is called pipub-2.local, because something else there is called pipub.local already."));
        Assert.Equal("192.168.7.2", await ResolveAsync(other, "pipub.local"));
        Assert.Equal("192.168.7.3", await ResolveAsync(other, "pipub-2.local"));
        Assert.Contains(box.Id, (await BrowseAsync(other, "_ssb._tcp", "PiPub")).Txt);
        var renamed = await BrowseAsync(other, "_ssb._tcp", @"PiPub\032\0352");
        Assert.Equal("pipub-2.local", renamed.Host);
        Assert.Contains(next.Id, renamed.Txt);
        Assert.Contains("net:pipub-2.local:8008~shs:", renamed.Txt);
    }

    [Fact]
    public async Task Two_boxes_of_one_machine_share_the_name_that_leads_there_and_are_told_apart_as_services()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(host, "laptop");
        await Avahi.StartAsync(other, "cellar");

        await BecomesAsync(await host.StartBoxAsync(), "pipub.local");
        var second = await host.StartBoxAsync("--ssb-port", "8010", "--web-port", "8081");
        await BecomesAsync(second, "pipub.local");

        var found = await BrowseAsync(other, "_ssb._tcp", @"PiPub\032\0352");
        Assert.Equal(("pipub.local", "192.168.7.2", "8010"), (found.Host, found.Address, found.Port));
        Assert.Contains(second.Id, found.Txt);
    }

    [Fact]
    public async Task Boxes_list_each_other_and_drop_those_who_took_leave()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (first, second) = (await lab.AddHostAsync("first", lan, "192.168.7.2/24"), await lab.AddHostAsync("second", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(first, "attic");
        await Avahi.StartAsync(second, "garage");
        var (box, other) = (await first.StartBoxAsync(), await second.StartBoxAsync());

        var seen = new JsonElement();
        await Eventually.BecomesTrueAsync(
            async () => TryFind(await box.CommandAsync("discover"), other.Id, out seen) && seen.GetProperty("addresses").GetArrayLength() > 1,
            "the box lists the other with its addresses");
        Assert.StartsWith("PiPub", seen.GetProperty("name").GetString());
        Assert.Equal("stranger", seen.GetProperty("relation").GetString());
        var addresses = seen.GetProperty("addresses").EnumerateArray().Select(static address => address.GetString()!).ToArray();
        Assert.Contains(addresses, static address => address.StartsWith("net:192.168.7.3:8008~shs:", StringComparison.Ordinal));
        Assert.Contains(addresses, static address => address.StartsWith("net:fe80:", StringComparison.Ordinal) && address.Contains("%eth0:8008~shs:"));
        Assert.False(TryFind(await box.CommandAsync("discover"), box.Id, out _));

        await other.StopAsync();

        await Eventually.BecomesTrueAsync(async () => !TryFind(await box.CommandAsync("discover"), other.Id, out _), "the other is not listed any more");

        static bool TryFind(JsonElement peers, string id, out JsonElement found) =>
            (found = peers.EnumerateArray().FirstOrDefault(peer => peer.GetProperty("id").GetString() == id
                && peer.GetProperty("via").EnumerateArray().Any(static means => means.GetString() == "mdns"))).ValueKind == JsonValueKind.Object;
    }

    [Fact]
    public async Task A_machine_that_is_called_pipub_lends_its_name_and_the_box_follows_when_it_is_renamed()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (first, second) = (await lab.AddHostAsync("first", lan, "192.168.7.2/24"), await lab.AddHostAsync("second", lan, "192.168.7.3/24"));
        var avahi = await Avahi.StartAsync(second, "pipub");
        var box = await second.StartBoxAsync();
        await BecomesAsync(box, "pipub.local");

        // What the machine is called is its own business: it is given another name as an administrator would do it.
        await second.RunAsync("avahi-set-host-name", "pipub-7");
        await BecomesAsync(box, "pipub-7.local");

        // Somebody else is pipub when the daemon starts again: it takes the next name by itself.
        await avahi.StopAsync();
        await Avahi.StartAsync(first, "pipub");
        await avahi.StartAsync();
        await BecomesAsync(box, "pipub-2.local");
        Assert.Equal("192.168.7.3", await ResolveAsync(first, "pipub-2.local"));
        Assert.Equal("pipub-2.local", (await BrowseAsync(first, "_ssb._tcp", "PiPub")).Host);
    }

    [Fact]
    public async Task Without_D_Bus_the_box_says_so_once_and_goes_on()
    {
        await using var lab = await NetworkLab.StartAsync();
        var host = await lab.AddHostAsync("host", await lab.AddSwitchAsync("lan"), "192.168.7.2/24");

        var box = await host.StartBoxAsync("--log-level", "info");

        await Eventually.BecomesTrueAsync(() => Task.FromResult(box.Log.Contains(Absent)), "the box says that there is no avahi");
        // Long enough for a second try.
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        Assert.Equal(1, Count(box.Log, Absent));
        Assert.Contains("apt-get install avahi-daemon", box.Log);
        Assert.False((await box.CommandAsync("status")).TryGetProperty("hostName", out _));
        await box.StopAsync();
    }

    [Fact]
    public async Task When_the_daemon_comes_and_when_it_comes_back_everything_is_published()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(other, "cellar");
        var avahi = await Avahi.StartAsync(host, "laptop");
        await avahi.StopAsync();
        var box = await host.StartBoxAsync("--log-level", "info");
        await Eventually.BecomesTrueAsync(() => Task.FromResult(box.Log.Contains(Absent)), "the box says that avahi does not run");

        for (var round = 0; round < 2; round++)
        {
            await avahi.StartAsync();
            await BecomesAsync(box, "pipub.local");
            Assert.Equal("192.168.7.2", await ResolveAsync(other, "pipub.local"));
            Assert.Contains(box.Id, (await BrowseAsync(other, "_ssb._tcp", "PiPub")).Txt);

            await avahi.StopAsync();
            await BecomesAsync(box, null);
        }

        Assert.Equal(1, Count(box.Log, Absent));
        Assert.Equal(1, Count(box.Log, "this box is called pipub.local."));
    }

    [Fact]
    public async Task A_box_that_stops_takes_leave_at_once()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(host, "laptop");
        await Avahi.StartAsync(other, "cellar");
        var lines = new System.Collections.Concurrent.ConcurrentQueue<string>();
        other.Start(lines.Enqueue, "avahi-browse", "--parsable", "_ssb._tcp");
        var box = await host.StartBoxAsync();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(lines.Contains("+;eth0;IPv4;PiPub;_ssb._tcp;local")), "the other host sees the box");

        await box.StopAsync();

        // Its records would live for more than an hour.
        await Eventually.BecomesTrueAsync(() => Task.FromResult(lines.Contains("-;eth0;IPv4;PiPub;_ssb._tcp;local")), "the other host hears its goodbye");
    }

    [Fact]
    public async Task A_daemon_that_hangs_keeps_no_box_from_stopping()
    {
        await using var lab = await NetworkLab.StartAsync();
        var host = await lab.AddHostAsync("host", await lab.AddSwitchAsync("lan"), "192.168.7.2/24");
        var avahi = await Avahi.StartAsync(host, "laptop");
        var box = await host.StartBoxAsync();
        await BecomesAsync(box, "pipub.local");

        await avahi.HangAsync();
        // The box tells the daemon of it, and waits for an answer.
        await host.AddAddressAsync("eth0", "192.168.7.5/24");
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.Equal("pipub.local", (await box.CommandAsync("status")).GetProperty("hostName").GetString());

        // D-Bus itself gives up after 25 seconds.
        await box.StopAsync().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task With_another_address_the_name_leads_there()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(host, "laptop");
        await Avahi.StartAsync(other, "cellar");
        var box = await host.StartBoxAsync();
        await BecomesAsync(box, "pipub.local");
        Assert.Equal("192.168.7.2", await ResolveAsync(other, "pipub.local"));

        await host.RemoveAddressAsync("eth0", "192.168.7.2/24");
        await host.AddAddressAsync("eth0", "192.168.7.5/24");

        await Eventually.BecomesTrueAsync(async () => await ResolveAsync(other, "pipub.local") == "192.168.7.5", "pipub.local leads to the new address");
        Assert.Equal("192.168.7.5", (await BrowseAsync(other, "_ssb._tcp", "PiPub")).Address);
    }

    [Fact]
    public async Task Without_discovery_the_page_is_found_and_the_peer_is_not()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var (host, other) = (await lab.AddHostAsync("host", lan, "192.168.7.2/24"), await lab.AddHostAsync("other", lan, "192.168.7.3/24"));
        await Avahi.StartAsync(host, "laptop");
        await Avahi.StartAsync(other, "cellar");

        await host.StartBoxAsync("--discovery", "off", "--host-name", "kitchen");

        Assert.Equal("kitchen.local", (await BrowseAsync(other, "_http._tcp", "PiPub")).Host);
        Assert.Equal("", await other.RunAsync("avahi-browse", "-rpt", "_ssb._tcp"));
    }

    private static Task BecomesAsync(PiPubProcess box, string? hostName) => Eventually.BecomesTrueAsync(
        async () => ((await box.CommandAsync("status")).TryGetProperty("hostName", out var now) ? now.GetString() : null) == hostName,
        $"the box is called {hostName ?? "nothing"}");

    /// <summary>What avahi on a host makes of a name; empty when it finds nothing.</summary>
    private static async Task<string> ResolveAsync(LabHost host, string name, string version = "-4")
    {
        var (_, output, _) = await host.TryRunAsync("avahi-resolve-host-name", version, name);
        return output.Split('\t').Last().Trim();
    }

    /// <summary>What avahi on a host finds of a service by IPv4, once it does.</summary>
    private static async Task<(string Host, string Address, string Port, string Txt)> BrowseAsync(LabHost host, string type, string name)
    {
        string[]? found = null;
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                // =;eth0;IPv4;name;type;domain;host;address;port;"txt" "txt"
                var output = await host.RunAsync("avahi-browse", "--resolve", "--parsable", "--terminate", "--no-db-lookup", type);
                found = output.Split('\n')
                    .Select(static line => line.Split(';', 10))
                    .FirstOrDefault(fields => fields is ["=", "eth0", "IPv4", ..] && fields[3] == name);
                return found is not null;
            },
            $"{name} is found among {type}");
        return (found![6], found[7], found[8], found[9]);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
