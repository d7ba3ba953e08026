using System.Text.Json;
using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>How it stands with being reached, found out in networks where it stands differently.</summary>
public sealed class ReachReportTests
{
    private const string Home = "192.168.7.2";
    private const string Outer = "1.2.3.7";

    [Theory]
    [InlineData("100.64.5.7", "carrier-nat")]
    [InlineData("192.168.0.12", "double-nat")]
    public async Task An_outer_address_that_is_not_public_is_told_of_and_in_no_invite(string outer, string reason)
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        var router = await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, $"{outer}/24");
        await NatPmpGateway.StartAsync(router, outer);
        var box = await StartBoxAsync(lab, lan);

        var report = await ReasonAsync(box, reason);
        Assert.False(report.GetProperty("reachable").GetBoolean());
        Assert.Contains(outer, report.GetProperty("summary").GetString());
        var mapped = report.GetProperty("addresses").EnumerateArray().Single(static a => a.GetProperty("origin").GetString() == "mapping");
        Assert.Equal("local", mapped.GetProperty("scope").GetString());
        Assert.NotEmpty(mapped.GetProperty("problem").GetString()!);
        var invite = await box.CreateInviteAsync();
        Assert.DoesNotContain(outer, invite);
        Assert.StartsWith($"{Home}:8008:", invite);
    }

    [Fact]
    public async Task A_router_that_answers_and_refuses_is_quoted()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));

        // miniupnpd passes nothing on while its own address is not public.
        var router = await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, "100.64.5.7/24");
        await router.StartMiniUpnpdAsync();
        var report = await ReasonAsync(await StartBoxAsync(lab, lan), "mapping-refused");
        Assert.False(report.GetProperty("reachable").GetBoolean());
        Assert.Contains("public address", report.GetProperty("advice").GetString());
    }

    [Fact]
    public async Task A_firewall_behind_the_mapping_is_found_by_a_peer_that_tries()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan, router) = await AddHomeAsync(lab);
        await router.StartMiniUpnpdAsync();
        var friend = await AddFriendAsync(lab, wan);
        var box = await StartBoxAsync(lab, lan);
        await ReasonAsync(box, "unproven");

        // Before the rules that pass on what was asked for.
        await router.AddRulesAsync("insert rule inet filter forward iifname \"wan\" ct state new drop\n");
        await ConnectAsync(box, friend);
        var report = await ReasonAsync(box, "firewall");
        Assert.False(report.GetProperty("reachable").GetBoolean());
        Assert.Contains($"{Outer}:8008", report.GetProperty("summary").GetString());
        Assert.DoesNotContain(Outer, await box.CreateInviteAsync());

        // The firewall goes, and whoever comes in proves it.
        await router.AddRulesAsync("flush chain inet filter forward\nadd rule inet filter forward accept\n");
        var stranger = await (await lab.AddHostAsync("stranger", wan, "1.2.3.51/24")).StartBoxAsync("--map-port", "off");
        await stranger.CommandAsync("connect", $"net:{Outer}:8008~shs:{Key(box)}");
        await ReasonAsync(box, "proven");
        Assert.StartsWith($"{Outer}:8008:", await box.CreateInviteAsync());
    }

    [Fact]
    public async Task Port_forwarding_set_up_by_hand_is_found_without_a_word_from_the_router()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan, router) = await AddHomeAsync(lab);
        await router.AddRulesAsync($$"""
            add rule inet filter prerouting iifname "wan" tcp dport 8008 dnat ip to {{Home}}:8008
            add rule inet filter forward ct status dnat accept

            """);
        var friend = await AddFriendAsync(lab, wan);
        var box = await StartBoxAsync(lab, lan);
        await ReasonAsync(box, "no-mapping-protocol");
        await ConnectAsync(box, friend);
        var report = await ReasonAsync(box, "proven");
        Assert.Equal("observed", report.GetProperty("addresses").EnumerateArray().First(static a => a.GetProperty("proven").GetBoolean()).GetProperty("origin").GetString());
        Assert.StartsWith($"{Outer}:8008:", await box.CreateInviteAsync());
    }

    [Fact]
    public async Task A_configured_name_is_given_at_once_and_checked()
    {
        await using var lab = await NetworkLab.StartAsync();
        var (lan, wan, _) = await AddHomeAsync(lab);
        var friend = await AddFriendAsync(lab, wan);
        var box = await StartBoxAsync(lab, lan, "--public-host", Outer);
        Assert.StartsWith($"{Outer}:8008:", await box.CreateInviteAsync());
        Assert.Equal(JsonValueKind.Null, (await ReasonAsync(box, "configured")).GetProperty("reachable").ValueKind);

        // No port is passed on: the friend finds nobody there.
        await ConnectAsync(box, friend);
        JsonElement report = default;
        await Eventually.BecomesTrueAsync(
            async () => (report = await box.CommandAsync("reach")).GetProperty("reachable").ValueKind == JsonValueKind.False, "it is known that the name does not lead here");
        Assert.Equal("configured", report.GetProperty("reason").GetString());
        Assert.StartsWith($"{Outer}:8008:", await box.CreateInviteAsync());
    }

    private static async Task<(LabSwitch Lan, LabSwitch Wan, HomeRouter Router)> AddHomeAsync(NetworkLab lab)
    {
        var (lan, wan) = (await lab.AddSwitchAsync("lan"), await lab.AddSwitchAsync("wan"));
        return (lan, wan, await lab.AddRouterAsync("router", lan, "192.168.7.1/24", wan, $"{Outer}/24"));
    }

    private static async Task<PiPubProcess> AddFriendAsync(NetworkLab lab, LabSwitch wan) =>
        await (await lab.AddHostAsync("friend", wan, "1.2.3.50/24")).StartBoxAsync("--map-port", "off");

    private static async Task<PiPubProcess> StartBoxAsync(NetworkLab lab, LabSwitch lan, params string[] settings)
    {
        var home = await lab.AddHostAsync("home", lan, $"{Home}/24");
        await home.AddDefaultRouteAsync("192.168.7.1");
        return await home.StartBoxAsync(settings);
    }

    private static Task<JsonElement> ConnectAsync(PiPubProcess box, PiPubProcess friend) => box.CommandAsync("connect", $"net:1.2.3.50:8008~shs:{Key(friend)}");

    private static string Key(PiPubProcess box) => box.Id[1..^".ed25519".Length];

    private static async Task<JsonElement> ReasonAsync(PiPubProcess box, string reason)
    {
        JsonElement report = default;
        try
        {
            await Eventually.BecomesTrueAsync(async () => (report = await box.CommandAsync("reach")).GetProperty("reason").GetString() == reason, reason);
        }
        finally
        {
            TestContext.Current.TestOutputHelper!.WriteLine(report.GetRawText());
        }

        return report;
    }
}
