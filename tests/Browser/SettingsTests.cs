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

    private static async Task<long> QuotaAsync(PiPubProcess pub) => (await pub.CommandAsync("status")).GetProperty("blobQuotaBytes").GetInt64();
}
