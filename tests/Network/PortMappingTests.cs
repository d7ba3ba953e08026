using System.Text.Json;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>A real router (Debian's miniupnpd) passes connections on to a box, through all that happens in a home.</summary>
public sealed class PortMappingTests
{
    private const string Box = "192.168.7.2";
    private const string Public = "1.2.3.7";

    [Theory]
    [InlineData(GatewayProtocols.Pcp, "pcp")]
    [InlineData(GatewayProtocols.NatPmp, "nat-pmp")]
    [InlineData(GatewayProtocols.Upnp, "upnp")]
    internal async Task The_port_is_passed_on_the_web_port_only_when_asked_and_neither_after_the_stop(GatewayProtocols protocols, string protocol)
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync(protocols);
        var box = await home.Host.StartBoxAsync();

        await home.PassesOnAsync($"{Box}:8008");
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, 8008));
        Assert.Single(await home.Router.MappingsAsync());
        var mapping = await MappingAsync(box);
        Assert.Equal((protocol, Public, 8008), (mapping.GetProperty("protocol").GetString(), mapping.GetProperty("externalAddress").GetString(), mapping.GetProperty("externalPort").GetInt32()));
        await box.StopAsync();
        Assert.Empty(await home.Router.MappingsAsync());
        Assert.False(await Listener.AnswersAsync(home.Outside, Public, 8008));

        var both = await home.Host.StartBoxAsync("--map-web-port", "on");
        await home.PassesOnAsync($"{Box}:8008", $"{Box}:8080");
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, 8080));
        await both.StopAsync();
        Assert.Empty(await home.Router.MappingsAsync());
    }

    [Fact]
    public async Task When_it_is_switched_off_the_router_hears_nothing()
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync();
        var questions = await PacketCounter.IncomingAsync(home.Router.Host, "iifname lan udp dport { 5351, 1900 }");

        var off = await home.Host.StartBoxAsync("--map-port", "off");
        await Eventually.BecomesTrueAsync(async () => (await off.CommandAsync("reach")).GetProperty("reason").GetString() is "off" or "unproven", "the box reports");
        await off.StopAsync();
        Assert.Equal(0, await questions.ReadAsync());

        // So that the counter is known to count.
        _ = await home.Host.StartBoxAsync();
        await home.PassesOnAsync($"{Box}:8008");
        Assert.NotEqual(0, await questions.ReadAsync());
    }

    [Theory]
    [InlineData(GatewayProtocols.Pcp)]
    [InlineData(GatewayProtocols.NatPmp)]
    [InlineData(GatewayProtocols.Upnp)]
    internal async Task A_port_that_the_router_has_given_to_somebody_else_is_left_to_them(GatewayProtocols protocols)
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync();
        var other = await lab.AddHostAsync("other", home.Lan, "192.168.7.66/24");
        await other.AddDefaultRouteAsync("192.168.7.1");
        await other.RunAsync("natpmpc", "-g", "192.168.7.1", "-a", "8008", "8008", "tcp", "3600");
        await home.Router.OnlyAsync(protocols);

        var box = await home.Host.StartBoxAsync();
        await home.PassesOnAsync("192.168.7.66:8008", $"{Box}:8008");
        var mapping = await MappingAsync(box);
        Assert.NotEqual(8008, mapping.GetProperty("externalPort").GetInt32());
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, mapping.GetProperty("externalPort").GetInt32()));

        await box.StopAsync();
        Assert.Contains("192.168.7.66:8008", Assert.Single(await home.Router.MappingsAsync()));
    }

    [Theory]
    [InlineData(GatewayProtocols.Pcp)]
    [InlineData(GatewayProtocols.NatPmp)]
    internal async Task A_router_that_restarts_says_so_and_gets_its_mapping_again(GatewayProtocols protocols)
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync(protocols);
        _ = await home.Host.StartBoxAsync();
        await home.PassesOnAsync($"{Box}:8008");

        // Routers count whole seconds since they began, and two or so are forgiven (RFC 6887 section 8.5): it has to run for a while first.
        await Task.Delay(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken);
        await home.Router.StopMiniUpnpdAsync();
        await home.Router.ForgetAsync();
        Assert.Empty(await home.Router.MappingsAsync());
        await home.Router.StartMiniUpnpdAsync(protocols);

        await home.PassesOnAsync($"{Box}:8008");
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, 8008));
    }

    [Fact]
    public async Task A_router_that_does_not_tell_of_its_restart_gets_its_mapping_again_as_its_switch_restarts_too()
    {
        const GatewayProtocols Protocols = GatewayProtocols.Upnp;
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync(Protocols);
        var box = await home.Host.StartBoxAsync();
        await home.PassesOnAsync($"{Box}:8008");

        await home.Host.LinkDownAsync("eth0");
        await Eventually.BecomesTrueAsync(
            async () => (await box.CommandAsync("reach")).GetProperty("mapping").ValueKind == JsonValueKind.Null, "the box has noticed that the network is gone");
        await home.Router.StopMiniUpnpdAsync();
        await home.Router.ForgetAsync();
        await home.Router.StartMiniUpnpdAsync(Protocols);
        await home.Host.LinkUpAsync("eth0");
        await home.Host.AddDefaultRouteAsync("192.168.7.1");

        await home.PassesOnAsync($"{Box}:8008");
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, 8008));
    }

    [Fact]
    public async Task A_router_that_is_switched_on_after_the_box_is_used()
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        var box = await home.Host.StartBoxAsync();
        await Eventually.BecomesTrueAsync(async () => (await box.CommandAsync("reach")).GetProperty("attempts").GetArrayLength() == 3, "the box has asked in vain");

        await home.Router.StartMiniUpnpdAsync();
        await home.PassesOnAsync($"{Box}:8008");
    }

    [Theory]
    [InlineData(GatewayProtocols.Pcp)]
    [InlineData(GatewayProtocols.Upnp)]
    internal async Task A_new_address_of_the_box_is_followed(GatewayProtocols protocols)
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync(protocols);
        var box = await home.Host.StartBoxAsync();
        await home.PassesOnAsync($"{Box}:8008");

        await home.Host.RemoveAddressAsync("eth0", $"{Box}/24");
        await home.Host.AddAddressAsync("eth0", "192.168.7.99/24");
        await home.Host.AddDefaultRouteAsync("192.168.7.1");

        await Eventually.BecomesTrueAsync(
            async () => (await home.Router.MappingsAsync()).Any(static mapping => mapping.Contains("192.168.7.99:8008")), "the new address is mapped");
        var port = (await MappingAsync(box)).GetProperty("externalPort").GetInt32();
        Assert.True(await Listener.AnswersAsync(home.Outside, Public, port));
    }

    [Fact]
    public async Task A_box_that_was_killed_gets_its_own_port_back()
    {
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.StartMiniUpnpdAsync(GatewayProtocols.Pcp);
        var box = await home.Host.StartBoxAsync();
        await home.PassesOnAsync($"{Box}:8008");

        await box.KillAsync();
        Assert.Single(await home.Router.MappingsAsync());
        await box.StartAsync();
        Assert.Equal(8008, (await MappingAsync(box)).GetProperty("externalPort").GetInt32());
        await box.StopAsync();
        Assert.Empty(await home.Router.MappingsAsync());
    }

    [Theory]
    [InlineData(GatewayProtocols.Pcp)]
    [InlineData(GatewayProtocols.Upnp)]
    internal async Task The_routers_firewall_is_opened_for_the_IPv6_address_and_closed_after_the_stop(GatewayProtocols protocols)
    {
        const string Global = "2001:db8:7::2";
        await using var lab = await NetworkLab.StartAsync();
        var home = await Home.MakeAsync(lab);
        await home.Router.Host.AddAddressAsync(HomeRouter.Inside, "2001:db8:7::1/64");
        await home.Router.Host.AddAddressAsync(HomeRouter.Outside, "2001:db8:8::7/64");
        await home.Router.AddRulesAsync("insert rule inet filter postrouting meta nfproto ipv6 accept\n");
        await home.Host.AddAddressAsync("eth0", $"{Global}/64");
        await home.Host.AddDefaultRouteAsync(await home.Router.Host.LinkLocalAsync(HomeRouter.Inside));
        await home.Outside.AddAddressAsync("eth0", "2001:db8:8::c8/64");
        await home.Outside.AddDefaultRouteAsync("2001:db8:8::7");
        await home.Router.StartMiniUpnpdAsync(protocols);

        var box = await home.Host.StartBoxAsync();
        await Eventually.BecomesTrueAsync(() => Listener.AnswersAsync(home.Outside, Global, 8008), "the firewall is open");
        await box.StopAsync();

        var listener = await Listener.StartAsync(home.Host, 8008);
        Assert.True(await Listener.AnswersAsync(home.Router.Host, Global, 8008));
        Assert.False(await Listener.AnswersAsync(home.Outside, Global, 8008));
        Assert.Single(listener.Callers);
    }

    /// <summary>What the box says that the router passes on, once it knows.</summary>
    private static async Task<JsonElement> MappingAsync(PiPubProcess box)
    {
        JsonElement mapping = default;
        await Eventually.BecomesTrueAsync(
            async () => (mapping = (await box.CommandAsync("reach")).GetProperty("mapping")).ValueKind == JsonValueKind.Object, "the box knows of its mapping");
        return mapping;
    }

    /// <summary>A router with a box behind it and somebody in front of it.</summary>
    private sealed record Home(HomeRouter Router, LabSwitch Lan, LabHost Host, LabHost Outside)
    {
        public static async Task<Home> MakeAsync(NetworkLab lab)
        {
            var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
            var router = await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, $"{Public}/24");
            var host = await lab.AddHostAsync("home", lan, $"{Box}/24");
            await host.AddDefaultRouteAsync("192.168.7.1");
            return new Home(router, lan, host, await lab.AddHostAsync("outside", wan, "1.2.3.200/24"));
        }

        /// <summary>Waits until exactly these are passed on.</summary>
        public Task PassesOnAsync(params string[] targets) => Eventually.BecomesTrueAsync(
            async () =>
            {
                var mappings = await Router.MappingsAsync();
                return mappings.Length == targets.Length && targets.All(target => mappings.Any(mapping => mapping.Contains(target)));
            },
            $"the router passes on to {string.Join(" and ", targets)}");
    }
}
