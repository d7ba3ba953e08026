using Microsoft.Playwright;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>Somebody downloads a backup, loses the box, and makes another one of it on the pages.</summary>
public sealed class BackupTests(Chromium chromium)
{
    private const string Passphrase = "four words in a row";

    [Fact]
    public async Task A_backup_is_downloaded_from_one_box_and_makes_another_one_of_it()
    {
        await using var network = new TestNetwork();
        var old = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, old);
        await visit.ClaimAsync(old);
        await visit.IsLiveAsync();
        await visit.FillAsync("Its name, which everybody sees", "Our kitchen box");
        await visit.ClickToAsync("Continue", "/setup/connect");
        await visit.GoLiveAsync("/");
        await visit.SeesAsync("There is no backup of this box yet.");
        await visit.GoLiveAsync("/settings");
        await visit.FillAsync("A passphrase for the backup", Passphrase);
        await visit.FillAsync("The same passphrase again", "four words in a box");
        await visit.ClickAsync("Download a backup");
        await visit.SeesAsync("The two passphrases are not the same.");
        await visit.GoLiveAsync("/settings");
        await visit.FillAsync("A passphrase for the backup", Passphrase);
        await visit.FillAsync("The same passphrase again", Passphrase);
        var download = await visit.Page.RunAndWaitForDownloadAsync(() => visit.ClickAsync("Download a backup"));
        Assert.EndsWith(".pipub-backup", download.SuggestedFilename, StringComparison.Ordinal);
        var file = Path.Combine(network.Directory, download.SuggestedFilename);
        await download.SaveAsAsync(file);
        await visit.GoLiveAsync("/settings");
        await visit.SeesAsync("The last backup was made on");
        await visit.GoLiveAsync("/");
        Assert.Equal(0, await visit.Page.GetByText("There is no backup of this box yet.").CountAsync());
        await old.StopAsync();

        var box = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, box);
        await owner.ClaimAsync(box);
        await owner.IsLiveAsync();
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "Put a backup back" }).ClickAsync();
        await owner.ArrivesAtAsync("/setup/restore");
        await UploadAsync(owner, "not the passphrase", file);
        await owner.SeesAsync("This is not the passphrase of the backup.");
        var other = Path.Combine(network.Directory, "holiday.jpg");
        await File.WriteAllTextAsync(other, "a picture", TestContext.Current.CancellationToken);
        await UploadAsync(owner, Passphrase, other);
        await owner.SeesAsync("This file is not a backup of a PiPub box.");
        await UploadAsync(owner, Passphrase, file);
        await owner.SeesAsync("Our kitchen box");
        await owner.SeesAsync(old.Id);
        await owner.SeesAsync("The old box must never run again.");
        Assert.True(await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Put it back", Exact = true }).IsDisabledAsync());
        Assert.Equal(box.Id, (await box.CommandAsync("whoami")).GetProperty("id").GetString());

        await owner.Page.GetByLabel("The old box is gone for good, or its card is erased.").CheckAsync();
        owner.AssertWasQuiet();
        var isBack = owner.IsLoadedAgainAsync();
        await owner.ClickAsync("Put it back");
        await isBack;
        Assert.Equal(old.Id, (await box.CommandAsync("whoami")).GetProperty("id").GetString());
        await owner.GoLiveAsync("/");
        await owner.SeesAsync("Our kitchen box");
        await owner.SeesAsync("The box waits until others have told what it published last");
        await owner.Page.GetByRole(AriaRole.Link, new() { Name = "How it stands" }).First.ClickAsync();
        await owner.ArrivesAtAsync("/own-feed");
        await owner.IsLiveAsync();
        await owner.Page.GetByText("I know that nothing is missing").ClickAsync();
        await owner.FillAsync("Type the word “publish” to confirm", "yes");
        await owner.ClickAsync("Publish without waiting");
        await owner.SeesAsync("That is not the word.");
        await owner.FillAsync("Type the word “publish” to confirm", "publish");
        await owner.ClickAsync("Publish without waiting");
        await owner.SeesAsync("All of it is here. The box publishes as usual.");
        Assert.Equal("ready", (await box.CommandAsync("status")).GetProperty("publishing").GetString());
    }

    [Fact]
    public async Task The_words_of_a_key_are_shown_for_the_password_and_give_it_to_another_box()
    {
        await using var network = new TestNetwork();
        var old = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, old);
        await visit.ClaimAsync(old);
        await visit.GoLiveAsync("/settings");
        await visit.Page.GetByText("Recovery words for the key").ClickAsync();
        await visit.FillAsync("Your password, to see them", "guess");
        await visit.ClickAsync("Show the words");
        await visit.SeesAsync("That is not the password. Try again.");
        await visit.FillAsync("Your password, to see them", Visit.Password);
        await visit.ClickAsync("Show the words");
        await visit.SeesAsync("Whoever has them can be this box.");
        var words = string.Join(' ', await visit.Page.Locator("ol.words li").AllInnerTextsAsync());
        Assert.Equal((await old.CommandAsync("backup", "words")).GetProperty("words").GetString(), words);
        await visit.ClickAsync("I have written them down");
        await Assertions.Expect(visit.Page.Locator("ol.words")).ToHaveCountAsync(0);
        visit.AssertWasQuiet();
        await old.StopAsync();

        var box = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, box, mayInject: true);
        await owner.ClaimAsync(box);
        await owner.GoLiveAsync("/setup/restore");
        await owner.Page.GetByText("I have no file, but the 24 recovery words").ClickAsync();
        await owner.FillAsync("The 24 words, in their order", "abandon " + words);
        await owner.ClickAsync("Take these words");
        await owner.SeesAsync("There are more than 24 words.");
        await owner.FillAsync("The 24 words, in their order", words.ToUpperInvariant());
        await owner.ClickAsync("Take these words");
        await owner.SeesAsync(old.Id);
        await owner.AssertFitsEverybodyAsync();
        await owner.ClickAsync("Leave everything as it is");
        await owner.SeesAsync("Did the card break");
        await owner.Page.GetByText("I have no file, but the 24 recovery words").ClickAsync();
        await owner.FillAsync("The 24 words, in their order", words);
        await owner.ClickAsync("Take these words");
        await owner.Page.GetByLabel("The old box is gone for good, or its card is erased.").CheckAsync();
        var isBack = owner.IsLoadedAgainAsync();
        await owner.ClickAsync("Put it back");
        await isBack;
        Assert.Equal(old.Id, (await box.CommandAsync("whoami")).GetProperty("id").GetString());
        await owner.GoLiveAsync("/");
        await owner.SeesAsync("The box waits until others have told what it published last");
    }

    [Fact]
    public async Task A_stick_with_a_backup_is_offered_as_soon_as_it_is_in_the_box()
    {
        await using var network = new TestNetwork();
        var old = await network.StartPiPubAsync();
        var passphrase = Path.Combine(network.Directory, "passphrase");
        await File.WriteAllTextAsync(passphrase, Passphrase + "\n", TestContext.Current.CancellationToken);
        var backup = Path.Combine(network.Directory, "kitchen.pipub-backup");
        await old.CommandAsync("backup", "create", backup, "--passphrase-file", passphrase);
        await old.StopAsync();

        var usb = network.NewDirectory("usb");
        var box = await network.StartPiPubAsync("--usb-directory", usb);
        await using var owner = await Visit.OpenAsync(chromium, box, mayInject: true);
        await owner.ClaimAsync(box);
        await owner.GoLiveAsync("/setup/restore");
        await owner.SeesAsync("Put the stick with the backup into the box. It appears here by itself.");
        var stick = Directory.CreateDirectory(Path.Combine(usb, "sda1", "pipub-backup")).FullName;
        await owner.SeesAsync("There is no backup on the stick.");
        File.CreateSymbolicLink(Path.Combine(stick, "link.pipub-backup"), "/etc/hostname");
        File.Copy(backup, Path.Combine(stick, "kitchen.pipub-backup"));
        await owner.SeesAsync("kitchen.pipub-backup");
        Assert.Equal(0, await owner.Page.GetByText("link.pipub-backup").CountAsync());
        await owner.AssertFitsEverybodyAsync();
        await owner.FillAsync("The passphrase of this backup", "not the passphrase");
        await owner.ClickAsync("Read the backup on the stick");
        await owner.SeesAsync("This is not the passphrase of the backup.");
        await owner.FillAsync("The passphrase of this backup", Passphrase);
        await owner.ClickAsync("Read the backup on the stick");
        await owner.SeesAsync("What is in it");
        await owner.SeesAsync(old.Id);
        await owner.Page.GetByLabel("The old box is gone for good, or its card is erased.").CheckAsync();
        var isBack = owner.IsLoadedAgainAsync();
        await owner.ClickAsync("Put it back");
        await isBack;
        Assert.Equal(old.Id, (await box.CommandAsync("whoami")).GetProperty("id").GetString());
    }

    private static async Task UploadAsync(Visit visit, string passphrase, string file)
    {
        await visit.GoLiveAsync("/setup/restore");
        await visit.FillAsync("The passphrase of the backup", passphrase);
        await visit.Page.GetByLabel("The backup", new() { Exact = true }).SetInputFilesAsync(file);
        await visit.ClickAsync("Read the backup");
    }
}
