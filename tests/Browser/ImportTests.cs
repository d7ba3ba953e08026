using System.Text;
using Microsoft.Playwright;
using PiPub.Interop;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Tests.LegacyLogs;

namespace PiPub.BrowserTests;

/// <summary>Somebody brings their old pub along.</summary>
public sealed class ImportTests(Chromium chromium)
{
    private static readonly KeyPair Old = KeyPair.FromSeed(Enumerable.Repeat((byte)7, 32).ToArray());

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_upload_is_imported_and_two_browsers_see_the_same()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/setup/import");
        await owner.GoLiveAsync("/setup/connect");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Bring your old pub along" }).ClickAsync();
        await owner.ArrivesAtAsync("/setup/import");

        await owner.GoLiveAsync("/setup/import");
        await owner.Page.Locator("input[name=log]").SetInputFilesAsync(await WriteLogAsync(network, 300));
        await owner.ClickAsync("Upload and begin");

        await owner.SeesAsync("Your old messages are here");
        await other.SeesAsync("Your old messages are here");
        foreach (var visit in (Visit[])[owner, other])
            await Assertions.Expect(visit.Page.Locator("dt:has-text('New messages') + dd")).ToHaveTextAsync("300");
        await other.GoLiveAsync("/setup/import");
        await other.SeesAsync("log.offset");
        owner.AssertWasQuiet();
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task What_lies_on_a_disk_at_the_box_comes_in_also_when_the_page_is_closed()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var shelf = Directory.CreateDirectory(Path.Combine(pub.Directory, "import", "stick", "flume")).FullName;
        var path = await WriteLogAsync(network, 2000);
        File.Move(path, Path.Combine(shelf, "log.offset"));
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/setup/import");
        await owner.SeesAsync("of messages");
        await owner.ClickAsync("Bring only its messages along");
        await owner.Page.CloseAsync();

        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/setup/import");
        await other.SeesAsync("Your old messages are here");
        await Assertions.Expect(other.Page.Locator("dt:has-text('New messages') + dd")).ToHaveTextAsync("2\u202F000");
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task The_progress_is_the_same_in_two_browsers_and_either_can_stop_it()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var stick = Directory.CreateDirectory(Path.Combine(pub.Directory, "import", "stick")).FullName;
        File.Move(await WriteLogAsync(network, 40_000), Path.Combine(stick, "log.offset"));
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/setup/import");
        await owner.GoLiveAsync("/setup/import");

        await owner.ClickAsync("Bring only its messages along");
        await other.ClickAsync("Stop it");

        await owner.SeesAsync("The import was stopped");
        await other.SeesAsync("The import was stopped");
        owner.AssertWasQuiet();
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task The_box_goes_on_as_the_old_pub_after_the_warning_is_confirmed()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var secret = Path.Combine(network.NewDirectory("old"), "secret");
        await File.WriteAllTextAsync(secret, SecretText.Format(Old), Stop);
        await pub.CommandAsync("publish", "--text", "I am somebody myself");
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/setup/import");
        await owner.Page.Locator("input[name=log]").SetInputFilesAsync(await WriteLogAsync(network, 5));
        await owner.Page.Locator("input[name=secret]").SetInputFilesAsync(secret);

        // The browser asks for the first box by itself.
        await owner.ClickAsync("Upload and begin");
        Assert.False(await owner.Page.Locator("input[name=off]").EvaluateAsync<bool>("box => box.checkValidity()"));
        await owner.Page.Locator("input[name=off]").CheckAsync();
        await owner.Page.Locator("input[name=complete]").CheckAsync();
        await owner.ClickAsync("Upload and begin");
        await owner.SeesAsync("This box has published messages as itself already.");

        await owner.GoLiveAsync("/setup/import");
        await owner.Page.Locator("input[name=log]").SetInputFilesAsync(await WriteLogAsync(network, 5));
        await owner.Page.Locator("input[name=secret]").SetInputFilesAsync(secret);
        await owner.Page.Locator("input[name=off]").CheckAsync();
        await owner.Page.Locator("input[name=complete]").CheckAsync();
        await owner.Page.Locator("form input[name=replace]").FillAsync("REPLACE");
        await owner.ClickAsync("Upload and begin");
        await Eventually.BecomesTrueAsync(
            async () => await pub.TryCommandAsync("whoami") is { ExitCode: 0 } answer && answer.Output.Contains(Old.Id.ToString(), StringComparison.Ordinal),
            "The box is the old pub");

        await using var after = await Visit.OpenAsync(chromium, pub, await owner.CookiesAsync());
        await after.GoLiveAsync("/setup/import");
        await after.SeesAsync("The box goes on as your old pub");
        Assert.Equal(6, (await pub.CommandAsync("publish", "--text", "I have moved")).GetProperty("value").GetProperty("sequence").GetInt32());
        after.AssertWasQuiet();
    }

    [Fact]
    public async Task The_form_works_without_scripts_of_its_own()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.Page.RouteAsync("**/assets/upload.js*", static route => route.AbortAsync());
        await owner.GoLiveAsync("/setup/import");
        await owner.Page.Locator("input[name=log]").SetInputFilesAsync(await WriteLogAsync(network, 3));
        await owner.ClickAsync("Upload and begin");
        await owner.SeesAsync("Your old messages are here");
    }

    private static async Task<string> WriteLogAsync(TestNetwork network, int messages)
    {
        var (values, tip) = (new List<string>(messages), default(FeedTip));
        for (var i = 0; i < messages; i++)
        {
            var message = ClassicFeed.Create(Old, tip, 1_700_000_000_000 + i, """{"type":"post","text":"old"}"""u8.ToArray());
            values.Add(WrittenLog.Envelope(Encoding.UTF8.GetString(message.Value.Span)));
            tip = new FeedTip(message.Sequence, message.Id);
        }

        var path = Path.Combine(network.NewDirectory("log"), "log.offset");
        await File.WriteAllBytesAsync(path, WrittenLog.Flume(4, values), Stop);
        return path;
    }
}
