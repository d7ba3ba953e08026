using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>What does not work says why, and what to do next.</summary>
public sealed class RefusalTests(Chromium chromium)
{
    [Fact]
    public async Task A_wrong_code_and_a_wrong_password_are_told()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.GoAsync("/");
        await visit.FillAsync("The code that the box shows", "0000-000");
        await visit.FillAsync("Choose a password", Visit.Password);
        await visit.FillAsync("The same password again", Visit.Password);
        await visit.ClickAsync("Continue");
        await visit.SeesAsync("That is not the code.");
        await visit.ClaimAsync(pub);

        await using var stranger = await Visit.OpenAsync(chromium, pub);
        await stranger.SignInAsync("guess");
        await stranger.SeesAsync("That is not the password. Try again.");
        stranger.AssertWasQuiet();
        visit.AssertWasQuiet();
    }

    [Fact]
    public async Task A_friend_with_an_invite_that_is_no_good_is_told_why()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/invites");
        await owner.FillAsync("A note on whom it is for", "For Mira");
        await owner.ClickAsync("Make an invite");
        var link = new Uri(await owner.Page.GetByLabel("A link to the invite").InputValueAsync()).PathAndQuery;
        await using var friend = await Visit.OpenAsync(chromium, pub);
        await friend.GoAsync(link);
        await friend.SeesAsync("Paste this code:");

        await owner.ClickAsync("Take back the invite For Mira");
        await owner.SeesAsync("taken back");
        await friend.GoAsync(link);
        await friend.SeesAsync("This invite was taken back. Ask your friend for a new one.");

        var shortLived = (await pub.CommandAsync("invite", "create", "--expires", "0.0001")).GetProperty("invite").GetString()!;
        await friend.GoAsync("/join?invite=" + Uri.EscapeDataString(shortLived));
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                await friend.Page.ReloadAsync();
                return await friend.Page.GetByText("This invite has expired. Ask your friend for a new one.").CountAsync() == 1;
            },
            "The page says that the invite has expired");

        await friend.GoAsync("/join?invite=127.0.0.1");
        await friend.SeesAsync("This link does not hold an invite of this box.");
        friend.AssertWasQuiet();
        owner.AssertWasQuiet();
    }
}
