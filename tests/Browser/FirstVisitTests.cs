using Microsoft.Playwright;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>Somebody who has never used a shell takes a new box into use.</summary>
public sealed class FirstVisitTests(Chromium chromium)
{
    [Fact]
    public async Task From_the_first_page_to_a_connected_client_in_less_than_ten_steps()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartClassicAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);

        await visit.ClaimAsync(pub);
        await visit.IsLiveAsync();
        await visit.FillAsync("Its name, which everybody sees", "Our kitchen box");
        await visit.ClickToAsync("Continue", "/setup/connect");
        var invite = await visit.Page.GetByLabel("The invite code").InputValueAsync();
        // Typed into the client: to its place for invites, the code, and the button.
        var interactions = visit.Interactions + 3;
        await client.RedeemAsync(invite);

        await visit.SeesAppAsync(client, pub.Id, pub.Address, "Your app is connected, and the box follows you now.");
        Assert.InRange(interactions, 1, 10);
        await client.WaitForAsync(pub.Id, 2);
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "See how the box is doing" }).ClickAsync();
        await visit.SeesAsync("Our kitchen box");
        await visit.SeesAppAsync(client, pub.Id, pub.Address, "peer connected");
        visit.AssertWasQuiet();
    }

    [Fact]
    public async Task The_box_is_claimed_and_signed_in_to_with_the_keyboard_alone()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        var keyboard = visit.Page.Keyboard;

        await visit.GoAsync("/");
        await IsOnAsync(visit, "code");
        await keyboard.TypeAsync(pub.ClaimCode!);
        await keyboard.PressAsync("Tab");
        await keyboard.TypeAsync(Visit.Password);
        await keyboard.PressAsync("Tab");
        await keyboard.TypeAsync(Visit.Password);
        await keyboard.PressAsync("Enter");
        await visit.ArrivesAtAsync("/setup");
        // A page that is left while it loads complains of that.
        await visit.IsLiveAsync();
        await visit.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        await visit.GoLiveAsync("/");
        await keyboard.PressAsync("Tab");
        await IsOnAsync(visit, "Skip to the content");
        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Tab");
        await IsOnAsync(visit, "Sign out");
        await keyboard.PressAsync("Enter");
        await visit.ArrivesAtAsync("/sign-in");
        await IsOnAsync(visit, "password");
        await keyboard.TypeAsync(Visit.Password);
        await keyboard.PressAsync("Tab");
        await IsOnAsync(visit, "Sign in");
        await keyboard.PressAsync("Space");
        await visit.ArrivesAtAsync("/");
        visit.AssertWasQuiet();
    }

    [Fact]
    public async Task What_is_typed_into_the_claim_page_outlives_a_restart_of_the_box()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.GoAsync("/");
        await visit.FillAsync("Choose a password", Visit.Password);

        await pub.StopAsync();
        await visit.FillAsync("The same password again", Visit.Password);
        await pub.StartAsync();

        // The code is another one at every start; everything else is as it was, and the form is still taken.
        await visit.FillAsync("The code that the box shows", pub.ClaimCode!);
        await visit.ClickAsync("Continue");
        await visit.ArrivesAtAsync("/setup");
        visit.AssertWasQuiet();
    }

    /// <summary>Waits until the keyboard is on a field (by its name) or on a link or button (by its words), which a page that is just loaded brings about by itself.</summary>
    private static Task IsOnAsync(Visit visit, string name) => Eventually.BecomesTrueAsync(
        async () => await visit.Page.EvaluateAsync<string>("document.activeElement.name || document.activeElement.textContent.trim()") == name,
        $"the keyboard is on {name}");
}
