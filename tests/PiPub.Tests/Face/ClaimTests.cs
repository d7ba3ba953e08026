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

        var (code, _, errors) = await RunningBox.CommandAsync(directory.Path, "claim");
        Assert.Equal(1, code);
        Assert.Contains("claimed already", errors, StringComparison.Ordinal);
    }

    private static async Task<string> ClaimAsync(Visitor visitor, string code)
    {
        var answer = await visitor.FillInAsync("/claim", "/access/claim", ("code", code), ("password", Password), ("again", Password));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.Location!.ToString();
    }
}
