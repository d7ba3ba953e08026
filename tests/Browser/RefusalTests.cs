using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;
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

        await friend.GoAsync("/join?invite=" + Uri.EscapeDataString(await ShortLivedInviteAsync(pub)));
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                await friend.Page.ReloadAsync();
                return await friend.Page.GetByText("This invite has expired. Ask your friend for a new one.").CountAsync() == 1;
            },
            "The page says that the invite has expired",
            TimeSpan.FromMinutes(5));

        await friend.GoAsync("/join?invite=127.0.0.1");
        await friend.SeesAsync("This link does not hold an invite of this box.");
        friend.AssertWasQuiet();
        owner.AssertWasQuiet();
    }

    /// <summary>An invite that lives for some seconds. On a busy machine the first may be dead before the box has been asked for it.</summary>
    private static async Task<string> ShortLivedInviteAsync(PiPubProcess pub)
    {
        for (var days = 0.0001m; ; days *= 2)
        {
            var (code, output, errors) = await pub.TryCommandAsync("invite", "create", "--expires", days.ToString(CultureInfo.InvariantCulture));
            if (code == 0)
                return JsonElement.Parse(output).GetProperty("invite").GetString()!;
            Assert.True(days < 0.001m, output + errors);
        }
    }

    [Fact]
    public async Task A_full_disk_is_told_and_what_was_typed_is_kept_when_there_is_room_again()
    {
        await using var network = new TestNetwork();
        await using var disk = await SmallDisk.MountAsync(network.NewDirectory("disk"), megabytes: 64);
        await using var pub = await PiPubProcess.StartAsync(disk.Path, network.NetworkKey);
        await using var visit = await Visit.OpenAsync(chromium, pub);
        await visit.ClaimAsync(pub);
        var cookies = await visit.CookiesAsync();
        await visit.FillAsync("Its name, which everybody sees", "Our kitchen box");

        disk.Fill(leave: 500_000);
        await using var other = await Visit.OpenAsync(chromium, pub, cookies);
        await other.GoLiveAsync("/");
        await other.SeesAsync("The disk is nearly full");
        disk.Fill(leave: 0);
        await visit.ClickAsync("Continue");
        await visit.SeesAsync("the disk is full or failing");

        disk.Empty();
        await visit.ClickToAsync("Continue", "/setup/connect");
        await other.GoLiveAsync("/");
        await other.SeesAsync("Our kitchen box");
        // Among the last problems it stays.
        await Assertions.Expect(other.Page.GetByRole(AriaRole.Alert)).ToHaveCountAsync(0);
        await other.SeesAsync("The disk is nearly full");
        visit.AssertWasQuiet();
        other.AssertWasQuiet();
    }

    [Fact]
    public async Task A_browser_that_loses_its_way_to_the_box_says_so_and_goes_on_where_it_was()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        using var way = new WayToBox(pub.Web);
        await using var visit = await Visit.OpenAsync(chromium.Browser, way.Origin);
        await visit.ClaimAsync(pub);
        await visit.GoLiveAsync("/invites");
        await visit.FillAsync("A note on whom it is for", "For Mira");

        way.Cut();
        await visit.SeesAsync("The connection with the box is gone.");
        way.Mend();
        await Assertions.Expect(visit.Page.GetByText("The connection with the box is gone.")).ToBeHiddenAsync(new() { Timeout = Visit.PatienceInMilliseconds });
        Assert.Equal("For Mira", await visit.Page.GetByLabel("A note on whom it is for").InputValueAsync());
        await visit.ClickAsync("Make an invite");
        await visit.SeesAsync("Here it is");
        await visit.SeesAsync("For Mira");
    }
}
