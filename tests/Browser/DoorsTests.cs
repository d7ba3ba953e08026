using System.Net;
using Microsoft.Playwright;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>The other ways in: the secure address, and the owner's app in place of the password.</summary>
public sealed class DoorsTests(Chromium chromium)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_browser_that_trusts_the_authority_has_no_warning_and_is_led_to_the_secure_address()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var certificate = Path.Combine(network.NewDirectory("authority"), "authority.crt");
        using (var http = new HttpClient())
            await File.WriteAllBytesAsync(certificate, await http.GetByteArrayAsync(Visit.OriginOf(pub) + "/authority.crt", Stop), Stop);
        await using var browser = await chromium.LaunchTrustingAsync(network.NewDirectory("home"), certificate, "pipub.local");

        await using var secure = await Visit.OpenAsync(browser, $"https://pipub.local:{pub.Https}");
        await secure.ClaimAsync(pub);
        await secure.IsLiveAsync();
        await secure.GoLiveAsync("/settings");
        await secure.ClickAsync("Always use the secure address");
        await secure.SeesAsync("The secure address is always used");
        secure.AssertWasQuiet();

        // Another window of the same person, with the other address as a bookmark.
        await using var habit = await Visit.OpenAsync(browser, $"http://pipub.local:{pub.Web}", await secure.CookiesAsync());
        await habit.Page.GotoAsync($"http://pipub.local:{pub.Web}/invites");
        Assert.Equal($"https://pipub.local:{pub.Https}/invites", habit.Page.Url);
        await habit.SeesAsync("Make an invite");

        await secure.ClickAsync("Use both addresses again");
        await secure.SeesAsync("Always use the secure address");
        await using var plain = await Visit.OpenAsync(browser, $"http://pipub.local:{pub.Web}");
        await plain.SignInAsync();
        await plain.ArrivesAtAsync("/");
        plain.AssertWasQuiet();
    }

    [Fact]
    public async Task A_browser_that_does_not_trust_it_warns()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var page = await chromium.Browser.NewPageAsync();
        var warning = await Assert.ThrowsAsync<PlaywrightException>(() => page.GotoAsync($"https://127.0.0.1:{pub.Https}/"));
        Assert.Contains("ERR_CERT_AUTHORITY_INVALID", warning.Message, StringComparison.Ordinal);
        await page.CloseAsync();
    }

    [Fact]
    public async Task The_app_signs_in_the_browser_that_shows_its_picture_without_another_touch()
    {
        await using var network = new TestNetwork();
        var (pub, app) = await StartWithAppAsync(network);
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.GoAsync("/sign-in");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with your SSB app" }).ClickAsync();
        var link = visit.Page.GetByRole(AriaRole.Link, new() { Name = "Open in an app on this device" });
        var uri = (await link.GetAttributeAsync("href"))!;
        await visit.ClickAsync("I have confirmed it in my app");
        await visit.SeesAsync("The app has not answered yet. Confirm it there first.");
        Assert.Equal(uri, await link.GetAttributeAsync("href"));

        await app.SignInBrowserAsync(uri);
        await visit.ArrivesAtAsync("/");
        await visit.IsLiveAsync();
        visit.AssertWasQuiet();

        // The app ends it, and the page that is open goes.
        await app.SignOutBrowsersAsync(pub.Id);
        await visit.ArrivesAtAsync("/sign-in");
    }

    [Fact]
    public async Task The_app_sends_a_browser_from_elsewhere_and_it_is_in()
    {
        await using var network = new TestNetwork();
        var (pub, app) = await StartWithAppAsync(network);
        await using var visit = await Visit.OpenAsync(chromium, pub);

        // A page of another site leads there, as an app does: no cookie goes along with such a navigation, the new one neither.
        await visit.Page.GotoAsync($"http://localhost:{pub.Web}/healthz");
        var path = new Uri(await app.SignInUrlAsync(pub.Id)).PathAndQuery;
        await visit.Page.EvaluateAsync($"location.href = '{Visit.OriginOf(pub)}{path}'");
        await visit.ArrivesAtAsync("/");
        await visit.IsLiveAsync();

        // Once: the same address again signs nobody in.
        await using var other = await Visit.OpenAsync(chromium, pub);
        var stale = path.Replace("cc=", "cc=A", StringComparison.Ordinal);
        Assert.Equal((int)HttpStatusCode.Forbidden, (await other.Page.GotoAsync(Visit.OriginOf(pub) + stale))!.Status);
        await other.SeesAsync("The app did not sign you in");
    }

    [Fact]
    public async Task A_press_of_the_button_of_a_claimed_box_connects_one_app()
    {
        await using var network = new TestNetwork();
        var (pub, _) = await StartWithAppAsync(network);
        await using var friend = await Visit.OpenAsync(chromium, pub);
        await friend.GoAsync("/sign-in");
        await friend.Page.GetByRole(AriaRole.Link, new() { Name = "Connect an app by the button of the box" }).ClickAsync();
        await friend.SeesAsync("Press the button of the box for a moment");

        // What the button does, for whoever sits at the box's keyboard.
        Assert.True((await pub.CommandAsync("claim")).GetProperty("claimed").GetBoolean());
        await friend.GoAsync("/pair");
        await friend.SeesAsync("The button was pressed.");
        var code = await friend.Page.GetByLabel("The invite code").InputValueAsync();
        await friend.GoAsync("/pair");
        Assert.Equal(code, await friend.Page.GetByLabel("The invite code").InputValueAsync());
        var app = await network.StartClassicAsync();
        await app.RedeemAsync(code);

        // One press, one app. And whoever got in so is a member, and no owner.
        await friend.GoAsync("/pair");
        await friend.SeesAsync("The code of this press has been used.");
        await friend.GoAsync("/");
        await friend.ArrivesAtAsync("/sign-in");
        await pub.CommandAsync("claim");
        await friend.GoAsync("/pair");
        Assert.NotEqual(code, await friend.Page.GetByLabel("The invite code").InputValueAsync());
        friend.AssertWasQuiet();
    }

    /// <summary>A box whose owner's app is connected, and who wants to sign in with it.</summary>
    private async Task<(PiPubProcess Pub, JsPeer App)> StartWithAppAsync(TestNetwork network)
    {
        var pub = await network.StartPiPubAsync();
        var app = await network.StartModernAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await app.RedeemAsync(pub.Invite!);
        await owner.GoLiveAsync("/settings");
        await owner.ClickAsync("Switch it on");
        await owner.SeesAppAsync(app, pub.Id, pub.Address, "It is switched on.");
        owner.AssertWasQuiet();
        return (pub, app);
    }
}
