using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>Ending and beginning again, asked for on the pages.</summary>
public sealed class RestartTests(Chromium chromium)
{
    [Fact]
    public async Task The_page_that_asks_for_a_restart_and_others_come_back_by_themselves()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub, await owner.CookiesAsync());
        await other.GoLiveAsync("/people");
        await owner.GoLiveAsync("/settings");
        var (isBack, isOtherBack) = (owner.IsLoadedAgainAsync(), other.IsLoadedAgainAsync());

        await owner.ClickAsync("Restart the box");

        await isBack;
        await isOtherBack;
        await owner.GoLiveAsync("/");
        await owner.SeesAsync("Right now");
    }

    [Fact]
    public async Task Beginning_anew_wants_the_password_and_the_word_and_then_the_box_is_nobodys()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await owner.Page.GetByText("Erase everything and make a new box of this one").ClickAsync();
        await owner.FillAsync("Your password, once more", Visit.Password);
        await owner.FillAsync("Type the word “erase” to confirm", "delete");
        await owner.ClickAsync("Erase everything");
        await owner.SeesAsync("That is not the word. Nothing was erased.");
        await owner.FillAsync("Your password, once more", "guess");
        await owner.FillAsync("Type the word “erase” to confirm", "Erase");
        await owner.ClickAsync("Erase everything");
        await owner.SeesAsync("That is not the password. Try again.");
        Assert.Equal(pub.Id, (await pub.CommandAsync("whoami")).GetProperty("id").GetString());

        await owner.FillAsync("Your password, once more", Visit.Password);
        await owner.ClickAsync("Erase everything");

        await owner.ArrivesAtAsync("/claim");
        Assert.NotEqual(pub.Id, (await pub.CommandAsync("whoami")).GetProperty("id").GetString());
    }
}
