using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>What the owner changes on the settings page is so, at once and after a restart.</summary>
public sealed class SettingsTests(Chromium chromium)
{
    [Fact]
    public async Task Limits_are_refused_in_words_or_hold_at_once_and_after_a_restart()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await owner.FillAsync("For pictures and files in all, in GB", "900000");
        await owner.ClickAsync("Save the limits");
        await owner.SeesAsync("That is more than the disk has");
        await owner.FillAsync("For pictures and files in all, in GB", "0.3");
        await owner.ClickAsync("Save the limits");
        await owner.SeesAsync("The room for one person cannot be more than the room in all.");
        await owner.FillAsync("Of that, for any one person, in GB", "");
        await owner.ClickAsync("Save the limits");
        await owner.SeesAsync("Write a number larger than 0 in each field.");
        await owner.FillAsync("Of that, for any one person, in GB", "0.25");
        await owner.FillAsync("Apps and boxes connected at one time", "3");
        await owner.ClickAsync("Save the limits");
        await owner.SeesAsync("Choose between 5 and 500 connections.");
        Assert.Equal(5_000_000_000, await QuotaAsync(pub));

        await owner.FillAsync("Apps and boxes connected at one time", "25");
        await owner.ClickAsync("Save the limits");
        await owner.SeesAsync("Saved.");
        Assert.Equal(300_000_000, await QuotaAsync(pub));
        await pub.CommandAsync("restart");
        Assert.Equal(300_000_000, await QuotaAsync(pub));
        Assert.Equal(
            "blob-quota = 0.3GB\nblob-quota-per-author = 0.25GB\nmax-connections = 25\n",
            await File.ReadAllTextAsync(Path.Combine(pub.Directory, "pipub.conf"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task How_it_is_found_is_checked_and_what_needs_a_restart_says_so()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await owner.FillAsync("Its name in your home network, before .local", "our box");
        await owner.ClickAsync("Save how it is found");
        await owner.SeesAsync("A name in the home network has only letters from a to z");
        await owner.FillAsync("Its name in your home network, before .local", "Our-Box");
        await owner.ClickAsync("Save how it is found");
        await owner.SeesAsync("Saved.");
        Assert.Equal(0, await owner.Page.GetByText("Some of it holds only after a restart.").CountAsync());
        await owner.Page.GetByLabel("Ask the router to let friends in from outside").UncheckAsync();
        await owner.ClickAsync("Save how it is found");
        await owner.SeesAsync("Some of it holds only after a restart.");
        Assert.Equal(
            "host-name = our-box\nmap-port = off\n",
            await File.ReadAllTextAsync(Path.Combine(pub.Directory, "pipub.conf"), TestContext.Current.CancellationToken));
        // The tests give a public-host on the command line, which is stronger than what the page could write.
        await owner.FillAsync("A name that leads to the box from outside, if you have one", "pub.example.org");
        await owner.ClickAsync("Save how it is found");
        await owner.SeesAsync("The setting public-host is fixed by --public-host on the command line.");
        await owner.SeesAsync("This machine's own system gives it its address.");
    }

    [Fact]
    public async Task The_log_is_live_and_can_be_searched()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings/log");
        await owner.SeesAsync("D-Bus or avahi-daemon is not there");
        await owner.FillAsync("Search in it", "what nobody says");
        await owner.SeesAsync("There is nothing like that.");
        var client = await network.StartClassicAsync();
        await owner.FillAsync("Search in it", client.Id[1..12]);
        await owner.SeesAsync("There is nothing like that.");
        await client.RedeemAsync(pub.Invite!);
        await client.ConnectAsync(pub.Address);
        await owner.SeesAsync(client.Id);
    }

    [Fact]
    public async Task The_support_bundle_is_downloaded_and_two_browsers_are_told_apart()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await owner.SeesAsync("Chrome on Linux");
        var download = await owner.Page.RunAndWaitForDownloadAsync(() => owner.ClickAsync("Download the support bundle"));
        Assert.Matches("^pipub-support-[0-9-]{10}\\.zip$", download.SuggestedFilename);
        Assert.Null(await download.FailureAsync());
    }

    private static async Task<long> QuotaAsync(PiPubProcess pub) => (await pub.CommandAsync("status")).GetProperty("blobQuotaBytes").GetInt64();
}
