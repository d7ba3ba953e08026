using Microsoft.Playwright;
using PiPub.Interop;
using PiPub.Web.Access;

namespace PiPub.BrowserTests;

/// <summary>Open pages follow what happens, and end when they must.</summary>
public sealed class LiveTests(Chromium chromium)
{
    [Fact]
    public async Task Two_browsers_see_at_once_that_a_peer_connects_and_that_it_leaves()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartClassicAsync();
        await client.RedeemAsync(pub.Invite!);
        await using var one = await Visit.OpenAsync(chromium, pub);
        await one.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await one.GoLiveAsync("/");
        await other.GoLiveAsync("/");

        await one.SeesAppAsync(client, pub.Id, pub.Address, "your app");
        await one.SeesAppAsync(client, pub.Id, pub.Address, "called the box");
        await other.SeesAppAsync(client, pub.Id, pub.Address, "called the box");
        await client.DisposeAsync();
        await one.SeesAsync("Nobody is connected at the moment.");
        await other.SeesAsync("Nobody is connected at the moment.");
        one.AssertWasQuiet();
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task What_one_browser_changes_the_other_one_sees_at_once()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var one = await Visit.OpenAsync(chromium, pub);
        await one.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/");
        await one.GoLiveAsync("/settings");

        await one.FillAsync("Its name, which everybody sees", "Our cellar box");
        await one.ClickAsync("Save");

        await other.SeesAsync("Our cellar box");
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task An_open_page_says_that_the_box_is_gone_and_works_again_after_its_restart()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.ClaimAsync(pub);
        await visit.GoLiveAsync("/invites");
        await visit.FillAsync("A note on whom it is for", "For Mira");

        await pub.StopAsync();
        await visit.SeesAsync("The connection with the box is gone.");
        await pub.StartAsync();

        await visit.SeesAsync("The box has restarted.");
        Assert.Equal("For Mira", await visit.Page.GetByLabel("A note on whom it is for").InputValueAsync());
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Load the page again" }).ClickAsync();
        await Assertions.Expect(visit.Page.GetByText("The box has restarted.")).ToBeHiddenAsync();
        // What was typed is still there, and is sent with the form.
        await Assertions.Expect(visit.Page.GetByLabel("A note on whom it is for")).ToHaveValueAsync("For Mira");
        await visit.GoLiveAsync("/invites");
        await Assertions.Expect(visit.Page.GetByLabel("A note on whom it is for")).ToHaveValueAsync("For Mira");
        await visit.ClickAsync("Make an invite");
        await visit.SeesAsync("Here it is");
        await visit.SeesAsync("For Mira");
        await visit.GoLiveAsync("/people");
        await visit.GoLiveAsync("/invites");
        Assert.Equal("", await visit.Page.GetByLabel("A note on whom it is for").InputValueAsync());
    }

    [Fact]
    public async Task What_is_typed_before_the_page_is_live_is_not_lost()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.ClaimAsync(pub);
        // The script that brings the page to life comes late, as over a slow network.
        var isTyped = new TaskCompletionSource();
        await visit.Page.RouteAsync("**/blazor*.js*", async route =>
        {
            await isTyped.Task;
            await route.ContinueAsync();
        });
        var live = visit.GoLiveAsync("/invites");
        await visit.FillAsync("A note on whom it is for", "For Mira");
        Assert.False(live.IsCompleted);
        isTyped.SetResult();
        await live;

        await Assertions.Expect(visit.Page.GetByLabel("A note on whom it is for")).ToHaveValueAsync("For Mira");
        await visit.ClickAsync("Make an invite");
        await visit.SeesAsync("Here it is");
        await visit.SeesAsync("For Mira");
    }

    [Fact]
    public async Task More_pages_than_the_box_carries_say_so_and_work_once_others_are_closed()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.ClaimAsync(pub);
        var tabs = new List<IPage>();
        for (var i = 0; i < OpenPages.Most; i++)
            tabs.Add(await visit.OpenTabAsync("/own-feed"));
        await Eventually.BecomesTrueAsync(() => Task.FromResult(Refused().Count == 1), "one page is too many");

        var refused = Refused()[0];
        await Assertions.Expect(refused.GetByText("The box carries 24 open pages at once")).ToBeVisibleAsync(new() { Timeout = Visit.PatienceInMilliseconds });
        await tabs.First(tab => tab != refused).CloseAsync();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                try
                {
                    // The box learns of a closed page a moment later; until then this one is led away again.
                    await refused.GotoAsync(new Uri(new Uri(refused.Url), "/invites").ToString());
                    await refused.GetByRole(AriaRole.Button, new() { Name = "Make an invite" }).ClickAsync(new() { Timeout = 15_000 });
                    await Assertions.Expect(refused.GetByText("Here it is")).ToBeVisibleAsync(new() { Timeout = 15_000 });
                    return true;
                }
                catch (Exception e) when (e is PlaywrightException or TimeoutException)
                {
                    return false;
                }
            },
            "the page works as soon as another one is closed",
            TimeSpan.FromMinutes(3));

        List<IPage> Refused() => [.. tabs.Where(static tab => new Uri(tab.Url).AbsolutePath == "/crowded")];
    }

    [Fact]
    public async Task A_browser_that_is_signed_out_from_another_one_is_led_to_sign_in()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/people");
        await owner.GoLiveAsync("/settings");

        await owner.ClickAsync("Sign it out");

        await other.ArrivesAtAsync("/sign-in");
        await owner.GoLiveAsync("/settings");
        Assert.Equal(0, await owner.Page.GetByRole(AriaRole.Button, new() { Name = "Sign it out" }).CountAsync());
        other.AssertWasQuiet();
        owner.AssertWasQuiet();
    }

    [Fact]
    public async Task A_page_that_stays_open_after_its_browser_was_signed_out_can_do_nothing()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await using var other = await Visit.OpenAsync(chromium, pub);
        await other.SignInAsync();
        await other.GoLiveAsync("/invites");
        await owner.GoLiveAsync("/settings");
        // It stays where it is: an answer without content takes a browser nowhere.
        await other.Page.RouteAsync("**/sign-in", static route => route.FulfillAsync(new() { Status = 204 }));
        var isLed = other.Page.WaitForRequestFinishedAsync(new() { Predicate = static request => request.Url.EndsWith("/sign-in", StringComparison.Ordinal) });
        await owner.ClickAsync("Sign it out");
        await isLed;

        var isLedAgain = other.Page.WaitForRequestAsync("**/sign-in");
        await other.Page.EvaluateAsync("[...document.querySelectorAll('button')].find(b => b.textContent === 'Make an invite').click()");
        await isLedAgain;

        await owner.GoLiveAsync("/invites");
        // Only the one that the box made for its owner.
        await Assertions.Expect(owner.Page.GetByRole(AriaRole.Button, new() { Name = "Take back the invite" })).ToHaveCountAsync(1);
        Assert.False(await other.Page.EvaluateAsync<bool>("document.body.innerText.includes('Here it is')"));
    }
}
