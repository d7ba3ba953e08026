using System.Security.Cryptography;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>Whom the box dials by itself, in which order, and how often.</summary>
public sealed class SchedulingTests
{
    [Fact]
    public async Task A_pub_that_is_gone_is_tried_ever_less_often()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var boxHost = await lab.AddHostAsync("box", lan, "1.2.3.2/24");
        var gone = await lab.AddHostAsync("gone", lan, "1.2.3.3/24");
        var dials = await PacketCounter.IncomingAsync(gone, PacketCounter.Dials);
        await boxHost.StartBoxAsync("--connect", $"net:1.2.3.3:8008~shs:{NewKey()}", "--map-port", "off");

        // The second comes 2 to 6 s after the first, the third 12 to 27 s after the second, the next one not before 40 s more.
        var attempts = new List<TimeSpan>();
        var start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(40))
        {
            for (var count = await dials.ReadAsync(); attempts.Count < count;)
            {
                attempts.Add(TimeProvider.System.GetElapsedTime(start));
            }

            await Task.Delay(250, TestContext.Current.CancellationToken);
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"Tried after {string.Join(", ", attempts.Select(at => $"{at.TotalSeconds:F1} s"))}");
        Assert.InRange(attempts.Count, 2, 3);
        if (attempts.Count > 2)
        {
            Assert.True(attempts[2] - attempts[1] > attempts[1] - attempts[0]);
        }
    }

    [Fact]
    public async Task No_more_connections_are_made_than_max_outgoing_says()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var boxHost = await lab.AddHostAsync("box", lan, "1.2.3.2/24");
        var pubs = await lab.AddHostAsync("pubs", lan, "1.2.3.3/24");

        // They let one in and never say a word, so each attempt lasts as long as the box has patience.
        var listeners = new List<Listener>();
        var settings = new List<string> { "--max-outgoing", "3", "--map-port", "off" };
        for (var port = 9001; port <= 9006; port++)
        {
            listeners.Add(await Listener.StartAsync(pubs, port));
            settings.AddRange(["--connect", $"net:1.2.3.3:{port}~shs:{NewKey()}"]);
        }

        await boxHost.StartBoxAsync([.. settings]);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(listeners.Sum(one => one.Open) == 3), "three of six are dialled");
        for (var look = 0; look < 20; look++)
        {
            Assert.InRange(listeners.Sum(one => one.Open), 0, 3);
            await Task.Delay(250, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_friend_is_dialled_on_the_LAN_before_the_internet()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "1.2.3.7/24");
        var boxHost = await lab.AddHostAsync("box", lan, "192.168.7.2/24");
        await boxHost.AddDefaultRouteAsync("192.168.7.1");
        var friendHost = await lab.AddHostAsync("friend", lan, "192.168.7.3/24");
        await friendHost.PlugAsync("eth1", wan, "1.2.3.9/24");
        var friend = await friendHost.StartBoxAsync("--map-port", "off", "--max-outgoing", "0");
        var byLan = await PacketCounter.IncomingAsync(friendHost, $"ip daddr 192.168.7.3 {PacketCounter.Dials}");
        var byInternet = await PacketCounter.IncomingAsync(friendHost, $"ip daddr 1.2.3.9 {PacketCounter.Dials}");

        var refusal = await PacketCounter.RefuseAsync(friendHost, 8008);
        var key = friend.Id[1..^".ed25519".Length];
        var box = await boxHost.StartBoxAsync("--connect", $"net:1.2.3.9:8008~shs:{key}", "--map-port", "off");
        await box.CommandAsync("follow", friend.Id);
        await friend.CommandAsync("follow", box.Id);
        await Eventually.BecomesTrueAsync(async () => await byInternet.ReadAsync() >= 2 && await byLan.ReadAsync() >= 1, "both addresses have been tried");

        // From now on the internet address waits for 12 s at least; another network lets nothing wait.
        await refusal.DisposeAsync();
        var before = await byInternet.ReadAsync();
        await boxHost.AddAddressAsync("eth0", "192.168.99.2/24");

        await Eventually.BecomesTrueAsync(async () => await ConnectedAddressAsync(box, friend.Id) is not null, "they are connected");
        Assert.DoesNotContain("1.2.3.9", await ConnectedAddressAsync(box, friend.Id));
        Assert.Equal(before, await byInternet.ReadAsync());
    }

    private static async Task<string?> ConnectedAddressAsync(PiPubProcess box, string id) =>
        (await box.CommandAsync("peers")).EnumerateArray()
            .Where(peer => peer.GetProperty("key").GetString() == id && peer.TryGetProperty("state", out var state) && state.GetString() == "connected")
            .Select(peer => peer.GetProperty("address").GetString())
            .FirstOrDefault();

    private static string NewKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
