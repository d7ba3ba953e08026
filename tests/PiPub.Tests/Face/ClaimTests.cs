using System.Net;

namespace PiPub.Tests.Face;

/// <summary>How somebody shows a running box that it is theirs.</summary>
public sealed class ClaimTests
{
    private const string Password = "correct horse";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_claim_file_is_the_code_and_nothing_is_printed()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "claim.txt");
        await File.WriteAllTextAsync(file, "our kitchen box\n", Stop);
        await using var box = await RunningBox.StartAsync(Path.Combine(directory.Path, "box"), "--claim-file", file);
        Assert.False(box.Start.TryGetProperty("claimCode", out _));
        using var visitor = new Visitor(box);
        Assert.Contains("written into the claim file", await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("/claim?problem=code", await ClaimAsync(visitor, "our kitchen"));
        Assert.Equal("/setup", await ClaimAsync(visitor, "Our Kitchen Box"));
    }

    [Fact]
    public async Task A_claim_file_that_is_too_short_is_told_and_the_printed_code_holds()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "claim.txt");
        await File.WriteAllTextAsync(file, "short", Stop);
        await using var box = await RunningBox.StartAsync(Path.Combine(directory.Path, "box"), "--claim-file", file);
        using var visitor = new Visitor(box);
        Assert.Contains("There is a claim file on the card, but it cannot be used", await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("/claim?problem=code", await ClaimAsync(visitor, "short"));
        Assert.Equal("/setup", await ClaimAsync(visitor, box.Start.GetProperty("claimCode").GetString()!));
    }

    [Fact]
    public async Task After_a_press_of_the_button_no_code_is_needed()
    {
        using var directory = new TemporaryDirectory();
        await using var box = await RunningBox.StartAsync(directory.Path);
        using var visitor = new Visitor(box);
        Assert.Equal("/claim?problem=code", await ClaimAsync(visitor, ""));
        Assert.Equal(120, (await box.AskAsync("claim")).GetProperty("seconds").GetInt32());
        Assert.Contains("The button was pressed", await (await visitor.GetAsync("/claim")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("/setup", await ClaimAsync(visitor, ""));

        // From then on a press connects an app, and nobody becomes the owner by it.
        using var friend = new Visitor(box);
        Assert.Contains("Press the button of the box", await (await friend.GetAsync("/pair")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.True((await box.AskAsync("claim")).GetProperty("claimed").GetBoolean());
        Assert.Contains("This code is for one app", await (await friend.GetAsync("/pair")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal("/sign-in", To(await friend.GetAsync("/claim")));
    }

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_a_code_that_is_new_on_the_card_and_by_no_other()
    {
        using var directory = new TemporaryDirectory();
        var file = Path.Combine(directory.Path, "claim.txt");
        await File.WriteAllTextAsync(file, "our kitchen box\n", Stop);
        var data = Path.Combine(directory.Path, "box");
        await using (var box = await RunningBox.StartAsync(data, "--claim-file", file))
        {
            using var owner = new Visitor(box);
            Assert.Equal("/setup", await ClaimAsync(owner, "our kitchen box"));
            using var stranger = new Visitor(box);
            // The file is still there, and its code is spent.
            Assert.Equal("/sign-in", To(await stranger.GetAsync("/claim")));
            var (name, value) = await stranger.TokenAsync("/sign-in");
            var answer = await stranger.PostAsync("/access/claim", ("code", "our kitchen box"), ("password", "my own horse"), ("again", "my own horse"), (name, value));
            Assert.Equal("/sign-in?problem=claimed", To(answer));
        }

        await File.WriteAllTextAsync(file, "another kitchen box\n", Stop);
        await using (var box = await RunningBox.StartAsync(data, "--claim-file", file))
        {
            using var before = new Visitor(box);
            Assert.Equal("/", To(await before.FillInAsync("/sign-in", "/access/sign-in", ("password", Password))));
            using var owner = new Visitor(box);
            Assert.Contains("/claim", await (await owner.GetAsync("/sign-in")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
            Assert.Contains("A new password", await (await owner.GetAsync("/claim")).Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
            Assert.Equal("/claim?problem=code", await ClaimAsync(owner, "our kitchen box", "a new horse"));
            Assert.Equal("/claim?problem=code", await ClaimAsync(owner, "", "a new horse"));
            Assert.Equal("/", await ClaimAsync(owner, "another kitchen box", "a new horse"));
            Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/")).StatusCode);
            Assert.Equal("/sign-in", To(await before.GetAsync("/")));
            Assert.Equal("/sign-in?problem=password", To(await before.FillInAsync("/sign-in", "/access/sign-in", ("password", Password))));
            Assert.Equal("/", To(await before.FillInAsync("/sign-in", "/access/sign-in", ("password", "a new horse"))));
            using var stranger = new Visitor(box);
            Assert.Equal("/sign-in", To(await stranger.GetAsync("/claim")));
        }
    }

    /// <summary>Where an answer leads to; the pages say it with the address of the box before it.</summary>
    private static string? To(HttpResponseMessage answer) => answer.Headers.Location is { IsAbsoluteUri: true } whole ? whole.PathAndQuery : answer.Headers.Location?.ToString();

    private static async Task<string> ClaimAsync(Visitor visitor, string code, string password = Password)
    {
        var answer = await visitor.FillInAsync("/claim", "/access/claim", ("code", code), ("password", password), ("again", password));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!.ToString();
    }
}
