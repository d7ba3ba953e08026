using System.Text.Json;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>The whole way in from outside: router asked, address proven, invite made, invite redeemed, mapping given back.</summary>
public sealed class FromOutsideTests
{
    [Theory]
    [InlineData(GatewayProtocols.All, "pcp")]
    [InlineData(GatewayProtocols.NatPmp, "nat-pmp")]
    [InlineData(GatewayProtocols.Upnp, "upnp")]
    internal async Task An_invite_with_a_proven_address_is_redeemed_from_outside_through_the_router(GatewayProtocols protocols, string protocol)
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        var router = await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "1.2.3.7/24");
        await router.StartMiniUpnpdAsync(protocols);
        var home = await lab.AddHostAsync("home", lan, "192.168.7.2/24");
        await home.AddDefaultRouteAsync("192.168.7.1");
        var friend = await (await lab.AddHostAsync("friend", wan, "1.2.3.50/24")).StartBoxAsync("--map-port", "off");
        var box = await home.StartBoxAsync();

        // The router passes the port on; whether that works, nobody knows yet, and no invite says so.
        await Eventually.BecomesTrueAsync(async () => (await router.MappingsAsync()).Length > 0, "the router passes the port on");
        Assert.Contains("192.168.7.2:8008", Assert.Single(await router.MappingsAsync()));
        Assert.DoesNotContain("1.2.3.7", await box.CreateInviteAsync());

        // A friend outside, whom the box has dialled, dials back.
        await box.CommandAsync("follow", friend.Id);
        await friend.CommandAsync("follow", box.Id);
        await box.CommandAsync("connect", $"net:1.2.3.50:8008~shs:{friend.Id[1..^".ed25519".Length]}");
        JsonElement report = default;
        await Eventually.BecomesTrueAsync(
            async () => (report = await box.CommandAsync("reach")).GetProperty("reachable").ValueKind == JsonValueKind.True, "the box knows that it can be reached");
        Assert.Equal("proven", report.GetProperty("reason").GetString());
        Assert.Equal(protocol, report.GetProperty("mapping").GetProperty("protocol").GetString());
        var proven = report.GetProperty("addresses")[0];
        Assert.StartsWith("net:1.2.3.7:8008~shs:", proven.GetProperty("address").GetString());
        Assert.Equal((true, friend.Id), (proven.GetProperty("proven").GetBoolean(), proven.GetProperty("provenBy").GetString()));

        // The invite leads there, and somebody outside takes it.
        var client = await (await lab.AddHostAsync("client", wan, "1.2.3.60/24")).StartPeerAsync(Stack.Classic);
        var invite = await box.CreateInviteAsync();
        Assert.StartsWith("1.2.3.7:8008:@", invite);
        await client.RedeemAsync(invite);
        await client.ConnectAsync(proven.GetProperty("address").GetString()!);
        var post = await client.PublishAsync("hello from outside");
        await box.WaitForAsync(client.Id, post.Sequence);

        await box.StopAsync();
        Assert.Empty(await router.MappingsAsync());
    }

    [Fact]
    public async Task Where_the_router_speaks_no_protocol_the_report_says_so_in_one_sentence()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "1.2.3.7/24");
        var home = await lab.AddHostAsync("home", lan, "192.168.7.2/24");
        await home.AddDefaultRouteAsync("192.168.7.1");
        var box = await home.StartBoxAsync();

        JsonElement report = default;
        await Eventually.BecomesTrueAsync(
            async () => (report = await box.CommandAsync("reach")).GetProperty("reason").GetString() == "no-mapping-protocol", "the box knows that the router cannot be asked");
        TestContext.Current.TestOutputHelper!.WriteLine(report.GetProperty("summary").GetString()!);
        Assert.Equal(JsonValueKind.Null, report.GetProperty("mapping").ValueKind);
        Assert.Equal("192.168.7.1", report.GetProperty("gateway").GetString());
        Assert.Equal(3, report.GetProperty("attempts").GetArrayLength());
        Assert.All(report.GetProperty("attempts").EnumerateArray(), attempt => Assert.False(attempt.GetProperty("answered").GetBoolean()));
        var summary = report.GetProperty("summary").GetString()!;
        Assert.Contains("router", summary);
        Assert.EndsWith(".", summary);
        Assert.DoesNotContain(". ", summary);
    }
}
