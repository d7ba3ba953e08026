using System.Net;
using System.Text.Json;
using PiPub.Storage.State;
using PiPub.Web.Access;

namespace PiPub.Tests.Face;

/// <summary>What programs get to read.</summary>
public sealed class MachineTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Anybody_learns_that_the_box_is_alive_and_nobody_else_learns_more()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var stranger = new Visitor(box);
        Assert.Equal("ok\n", await (await stranger.GetAsync("/healthz")).Content.ReadAsStringAsync(Stop));
        foreach (var path in (string[])["/metrics", "/api/status", "/api/peers"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(path)).StatusCode);
            Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync(path, token: new string('0', 64))).StatusCode);
        }
    }

    [Fact]
    public async Task The_owner_and_whoever_has_the_token_read_how_the_box_is_doing()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/metrics")).StatusCode);

        string token;
        using (var state = StateDatabase.Open(directory.Path))
        using (var access = new OwnerAccess(new AccessTable(state), TimeProvider.System))
        {
            token = access.CreateApiToken();
        }

        using var program = new Visitor(box);
        var metrics = await (await program.GetAsync("/metrics", token: token)).Content.ReadAsStringAsync(Stop);
        Assert.Matches("(?m)^pipub_messages 0$", metrics);
        Assert.All(metrics.TrimEnd('\n').Split('\n'), static line => Assert.Matches("^(# (HELP|TYPE) pipub_[a-z_]+ .+|pipub_[a-z_]+ [-+.0-9E]+)$", line));
        var status = JsonElement.Parse(await (await program.GetAsync("/api/status", token: token)).Content.ReadAsStringAsync(Stop));
        Assert.Equal(box.Id, status.GetProperty("id").GetString());
        // The README says what there is.
        var handbook = RepositoryFiles.Read("README.md").Split('\n').Single(static line => line.StartsWith("| `/api/status`", StringComparison.Ordinal));
        Assert.All(status.EnumerateObject(), field => Assert.Contains($"`{field.Name}`", handbook, StringComparison.Ordinal));
        Assert.Equal(JsonValueKind.Array, JsonElement.Parse(await (await program.GetAsync("/api/peers", token: token)).Content.ReadAsStringAsync(Stop)).ValueKind);

        // It reads, and does nothing else.
        Assert.Equal(HttpStatusCode.Redirect, (await program.GetAsync("/", token: token)).StatusCode);
    }

    [Fact]
    public async Task A_browser_chooses_its_language_and_is_led_nowhere_else()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        var chosen = await visitor.FillInAsync("/claim", "/language", ("code", "fr"), ("back", "//evil.example/"));
        Assert.Equal("/", chosen.Headers.Location!.ToString());
        Assert.Contains("<html lang=\"fr\">", await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop));
        Assert.Equal("/claim", (await visitor.FillInAsync("/claim", "/language", ("code", "xx"), ("back", "/claim"))).Headers.Location!.ToString());
        Assert.Contains("<html lang=\"fr\">", await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop));
    }
}
