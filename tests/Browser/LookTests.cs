using Microsoft.Playwright;
using PiPub.Interop;

namespace PiPub.BrowserTests;

/// <summary>How the pages look and whether everybody can use them. Pictures of them all lie in out/screenshots afterwards.</summary>
public sealed class LookTests(Chromium chromium, LivedInBox box) : IClassFixture<LivedInBox>
{
    private static readonly string Pictures = Directory.CreateDirectory(Path.Combine(Repository.Root, "out", "screenshots")).FullName;

    [Theory]
    [InlineData("overview", "/", true)]
    [InlineData("people", "/people", true)]
    [InlineData("invites", "/invites", true)]
    [InlineData("settings", "/settings", true)]
    [InlineData("log", "/settings/log", true)]
    [InlineData("import", "/setup/import", true)]
    [InlineData("setup", "/setup", true)]
    [InlineData("connected", "/setup/connect", true)]
    [InlineData("restore", "/setup/restore?problem=Damaged", true)]
    [InlineData("own-feed", "/own-feed", true)]
    [InlineData("crowded", "/crowded", false)]
    [InlineData("sign-in", "/sign-in?problem=password", false)]
    [InlineData("sign-in-app", "/sign-in/app", false)]
    [InlineData("login-refused", "/login?ssb-http-auth=1&cid=%40AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D.ed25519&cc=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D", false)]
    [InlineData("join-broken", "/join", false)]
    [InlineData("pair", "/pair", false)]
    public Task A_page_fits_every_screen_and_everybody(string name, string path, bool isOwners) => LookAsync(box.Pub, name, path, isOwners, box.Cookies);

    [Fact]
    public Task The_landing_page_of_an_invite_fits_every_screen_and_everybody() => LookAsync(box.Pub, "join", box.InviteLink, false, null);

    [Fact]
    public async Task Settings_say_what_came_of_them()
    {
        await using var visit = await Visit.OpenAsync(chromium, box.Pub, box.Cookies);
        await visit.GoLiveAsync("/settings");
        Assert.Equal(0, await visit.Page.GetByText("Saved.").CountAsync());
        Assert.Equal(0, await visit.Page.GetByText("That is not the password.").CountAsync());
        await visit.ClickAsync("Save");
        await visit.SeesAsync("Saved.");
        await visit.FillAsync("Present password", "guess");
        await visit.FillAsync("New password", "another horse");
        await visit.FillAsync("The same password again", "another horse");
        await visit.ClickAsync("Change the password");
        await visit.SeesAsync("That is not the password. Try again.");
        visit.AssertWasQuiet();
    }

    [Fact]
    public async Task The_pages_of_a_new_box_fit_every_screen_and_everybody()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await LookAsync(pub, "claim", "/claim?problem=code", false, null);
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await LookAsync(pub, "connect", "/setup/connect", true, await owner.CookiesAsync());
    }

    [Fact]
    public async Task The_settings_of_an_image_tell_its_two_places_and_fit_every_screen_and_everybody()
    {
        await using var network = new TestNetwork();
        var (data, image, programs, usb) = (network.NewDirectory("PiPub"), network.NewDirectory("image"), network.NewDirectory("programs"), network.NewDirectory("usb"));
        await File.WriteAllTextAsync(Path.Combine(image, "image-version"), "1.2.3\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(image, "board"), "pc\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            Path.Combine(data, "update.json"),
            """{"installed":{"version":"1.2.3","from":"1.2.2","boot":"another","at":"2026-11-21T10:00:00Z"},"seen":true,"failed":[]}""",
            TestContext.Current.CancellationToken);
        // What RAUC says after the first update of a box: the place that came with the image no update has written.
        var rauc = Path.Combine(programs, "rauc");
        await File.WriteAllTextAsync(
            rauc,
            """
            #!/bin/sh
            echo '{"compatible":"pipub-pc","booted":"B","slots":[{"rootfs.0":{"bootname":"A","state":"inactive","boot_status":"good","slot_status":{}}},{"rootfs.1":{"bootname":"B","state":"booted","boot_status":"good","slot_status":{"bundle":{"version":"1.2.3"}}}}]}'
            """,
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(rauc, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var pub = network.Keep(await PiPubProcess.StartInAsync(
            ["env", $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}"],
            data,
            network.NetworkKey,
            "--image-directory", image, "--usb-directory", usb, "--ssb-port", "0", "--web-port", "0", "--https-port", "0", "--ssb-bind", "127.0.0.1", "--web-bind", "127.0.0.1"));
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        await owner.GoLiveAsync("/settings");
        await owner.SeesAsync("Place B, which runs");
        await owner.SeesAsync("version 1.2.3");
        await owner.SeesAsync("Place A, in reserve");
        await owner.SeesAsync("version 1.2.2, to go back to");
        await owner.SeesAsync("from 1.2.2 to 1.2.3, on 2026-11-21 · it works");
        owner.AssertWasQuiet();
        await LookAsync(pub, "settings-image", "/settings", true, await owner.CookiesAsync());
        await LookAsync(pub, "restore-stick", "/setup/restore", true, await owner.CookiesAsync());
    }

    private async Task LookAsync(PiPubProcess pub, string name, string path, bool isLive, string? cookies)
    {
        await using (var visit = await Visit.OpenAsync(chromium, pub, cookies))
        {
            await OpenAsync(visit);
            // A component's parameter that lacks its @ shows the name of a field.
            Assert.DoesNotMatch(@"(^|\s)_[a-z]", await visit.Page.Locator("body").InnerTextAsync());
            foreach (var (size, width, height) in ((string, int, int)[])[("phone", 390, 844), ("desktop", 1280, 800)])
            {
                await visit.Page.SetViewportSizeAsync(width, height);
                foreach (var scheme in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
                {
                    await visit.Page.EmulateMediaAsync(new() { ColorScheme = scheme });
                    await visit.Page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, $"{name}-{size}-{scheme}.png".ToLowerInvariant()), FullPage = true });
                }
            }

            await visit.Page.SetViewportSizeAsync(320, 568);
            Assert.Equal(320, await visit.Page.EvaluateAsync<int>("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"));
            // A refused sign-in is answered with 403, which the browser itself complains of.
            if (name != "login-refused")
                visit.AssertWasQuiet();
        }

        await using (var visit = await Visit.OpenAsync(chromium, pub, cookies, mayInject: true))
        {
            await OpenAsync(visit);
            await visit.AssertFitsEverybodyAsync();
        }

        async Task OpenAsync(Visit visit)
        {
            await (isLive ? visit.GoLiveAsync(path) : visit.GoAsync(path));
            Assert.Equal(path.Split('?')[0], new Uri(visit.Page.Url).AbsolutePath);
            if (path == "/invites")
            {
                await visit.FillAsync("A note on whom it is for", "For Mira");
                await visit.ClickAsync("Make an invite");
                await visit.SeesAsync("Here it is");
            }

            foreach (var closed in await visit.Page.Locator("summary").AllAsync())
                await closed.ClickAsync();
            if (path == "/settings")
            {
                await visit.FillAsync("Your password, to see them", Visit.Password);
                await visit.ClickAsync("Show the words");
                await visit.SeesAsync("Whoever has them can be this box.");
            }
        }
    }
}

/// <summary>A box in use: it has an owner, a name, a connected app, somebody whom it blocks and an invite that waits.</summary>
public sealed class LivedInBox(Chromium chromium) : IAsyncLifetime
{
    private readonly TestNetwork network = new();

    internal PiPubProcess Pub { get; private set; } = null!;

    /// <summary>Those of a browser that is signed in.</summary>
    internal string Cookies { get; private set; } = "";

    /// <summary>Path and query of an invite's page.</summary>
    internal string InviteLink { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Pub = await network.StartPiPubAsync();
        var client = await network.StartClassicAsync();
        await using var owner = await Visit.OpenAsync(chromium, Pub);
        await owner.ClaimAsync(Pub);
        await owner.IsLiveAsync();
        await owner.FillAsync("Its name, which everybody sees", "Our kitchen box");
        await owner.ClickToAsync("Continue", "/setup/connect");
        await client.RedeemAsync(Pub.Invite!);
        await owner.SeesAppAsync(client, Pub.Id, Pub.Address, "Your app is connected, and the box follows you now.");
        await owner.GoLiveAsync("/settings");
        await owner.ClickAsync("Switch it on");
        await owner.SeesAsync("It is switched on.");
        InviteLink = "/join?invite=" + Uri.EscapeDataString(await Pub.CreateInviteAsync());
        Cookies = await owner.CookiesAsync();
    }

    public ValueTask DisposeAsync() => network.DisposeAsync();
}
