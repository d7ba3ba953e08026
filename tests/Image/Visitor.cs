using System.Net;
using PiPub.BrowserTests;
using PiPub.Interop;

namespace PiPub.ImageTests;

/// <summary>
/// Somebody who has just plugged in a box. <c>claim</c>: claims it through its pages in a real browser with the code written on the card,
/// downloads a backup, and redeems its first invite with a JavaScript peer. <c>restore</c>: has lost the card, puts the backup back on a
/// new one, and meets the same peer again. <c>look</c>: the owner comes back, and sees what the settings say of updates; <c>install</c>: has them
/// looked for on a stick, sees what is said of those there, presses the button to install one, and sees what comes of it. Says each thing that has come about in a line that begins with "ok".
/// </summary>
internal static class Visitor
{
    private const string Passphrase = "four words in a row";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Arguments: what to do, the box's origin, the claim code, host and port of its door for peers as seen from here, the network key, a directory for peer and backup;
    /// of who comes back: what to do, the origin, the version to install and what is to be seen of that, and the texts to be seen before.
    /// </summary>
    public static async Task<int> Main(string[] arguments)
    {
        Visit.PatienceInMilliseconds = (float)Patience.TotalMilliseconds;
        switch (arguments)
        {
            case ["look", var address, .. var texts]:
                await ComeBackAsync(address, null, "", texts);
                return 0;
            case ["install", var address, var version, var outcome, .. var texts]:
                await ComeBackAsync(address, version, outcome, texts);
                return 0;
        }

        if (arguments is not [("claim" or "restore") and var what, var origin, var code, var door, var networkKey, var directory])
        {
            await Console.Error.WriteLineAsync("Image claim|restore ORIGIN CLAIM-CODE HOST:PORT NETWORK-KEY DIRECTORY, Image look ORIGIN TEXT..., Image install ORIGIN VERSION OUTCOME TEXT...");
            return 2;
        }

        Directory.CreateDirectory(directory);
        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using var visit = await Visit.OpenAsync(chromium.Browser, origin);
        await visit.GoAsync("/");
        await visit.FillAsync("The code that the box shows", code);
        await visit.FillAsync("Choose a password", Visit.Password);
        await visit.FillAsync("The same password again", Visit.Password);
        await visit.ClickToAsync("Continue", "/setup");
        await visit.IsLiveAsync();
        Say("the box is claimed in a browser, by the code on the card");
        await (what == "claim" ? UseAsync(chromium, visit, origin, door, networkKey, directory) : RestoreAsync(visit, door, networkKey, directory));
        return 0;
    }

    private static async Task UseAsync(Chromium chromium, Visit visit, string origin, string door, string networkKey, string directory)
    {
        await visit.FillAsync("Its name, which everybody sees", "A box of the image");
        await visit.ClickToAsync("Continue", "/setup/connect");
        var invite = await visit.Page.GetByLabel("The invite code").InputValueAsync();
        var key = KeyOf(invite);

        await using (var settings = await Visit.OpenAsync(chromium.Browser, origin, await visit.CookiesAsync()))
        {
            await settings.GoLiveAsync("/settings");
            await settings.FillAsync("A passphrase for the backup", Passphrase);
            await settings.FillAsync("The same passphrase again", Passphrase);
            var download = await settings.Page.RunAndWaitForDownloadAsync(() => settings.ClickAsync("Download a backup"));
            await download.SaveAsAsync(BackupIn(directory));
            settings.AssertWasQuiet();
        }

        Say("an encrypted backup is downloaded");
        await File.WriteAllTextAsync(KeyIn(directory), key);
        await using var client = await PeerAsync(door, networkKey, directory);
        await client.RedeemAsync($"{door}:{invite[invite.IndexOf('@', StringComparison.Ordinal)..]}");
        await visit.SeesAppAsync(client, key, Address(door, key), "Your app is connected, and the box follows you now.");
        Say("a JavaScript peer redeems the first invite, and the page sees it");

        // The message that follows the peer is not in the backup.
        await client.WaitForAsync(key, 2, Patience);
        Say("the peer has the box's feed");
        var last = await client.PublishAsync("Hello, box.");
        await AcknowledgesAsync(client, door, key, last.Sequence);
        Say("the box has the peer's message");
        visit.AssertWasQuiet();
    }

    private static async Task RestoreAsync(Visit visit, string door, string networkKey, string directory)
    {
        var key = await File.ReadAllTextAsync(KeyIn(directory));
        await visit.GoLiveAsync("/setup/restore");
        await visit.FillAsync("The passphrase of the backup", Passphrase);
        await visit.Page.GetByLabel("The backup", new() { Exact = true }).SetInputFilesAsync(BackupIn(directory));
        await visit.ClickAsync("Read the backup");
        await visit.SeesAsync(key);
        await visit.Page.GetByLabel("The old box is gone for good, or its card is erased.").CheckAsync();
        // From here on the box restarts, of which the browser complains.
        visit.AssertWasQuiet();
        var isBack = visit.IsLoadedAgainAsync();
        await visit.ClickAsync("Put it back");
        await isBack;
        await visit.GoLiveAsync("/");
        await visit.SeesAsync("A box of the image");
        await visit.SeesAsync("The box waits until others have told what it published last");
        Say("the backup is put back in the wizard, and the box publishes nothing yet");

        await using var client = await PeerAsync(door, networkKey, directory);
        await client.ConnectAsync(Address(door, key));
        await visit.GoLiveAsync("/own-feed");
        // Which it says only once it has all that this peer holds.
        await visit.SeesAsync("1 of 2 peers");
        await visit.Page.GetByText("I know that nothing is missing").ClickAsync();
        await visit.FillAsync("Type the word “publish” to confirm", "publish");
        await visit.ClickAsync("Publish without waiting");
        await visit.SeesAsync("All of it is here.");
        Say("the box has its own feed back from the peer, and goes on by its owner's word");
    }

    private static async Task ComeBackAsync(string origin, string? version, string outcome, string[] texts)
    {
        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using var visit = await Visit.OpenAsync(chromium.Browser, origin);
        await visit.SignInAsync();
        await visit.ArrivesAtAsync("/");
        await visit.GoLiveAsync("/settings");
        if (version is not null)
        {
            await visit.ClickAsync("Look for new versions");
        }

        foreach (var text in texts)
        {
            await visit.SeesAsync(text);
            Say("the page says: " + text);
        }

        visit.AssertWasQuiet();
        if (version is not null)
        {
            await visit.ClickAsync("Install version " + version);
            await visit.SeesAsync(outcome);
            Say($"the page says, once version {version} was to be installed: {outcome}");
        }
    }

    /// <summary>Waits until the box says how far it has the peer's feed. It need not say so of what came in the same connection: so there are others.</summary>
    private static async Task AcknowledgesAsync(JsPeer client, string door, string key, long sequence)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (DateTime.UtcNow < deadline)
        {
            for (var i = 0; i < 20; i++)
            {
                if (await client.AcknowledgedAsync(key) >= sequence)
                {
                    return;
                }

                await Task.Delay(500);
            }

            await client.DisconnectAsync(key);
            await client.ConnectAsync(Address(door, key));
        }

        throw new TimeoutException("The box did not say that it has the peer's message.");
    }

    // In a network with a cable to the box the peer is there at its own address, else on loopback.
    private static Task<JsPeer> PeerAsync(string door, string networkKey, string directory) => IPAddress.IsLoopback(IPAddress.Parse(door.Split(':')[0]))
        ? JsPeer.StartAsync(Stack.Modern, directory, networkKey)
        : JsPeer.StartInAsync(["env"], Stack.Modern, directory, networkKey, lan: false);

    private static string KeyOf(string invite) => invite[invite.IndexOf('@', StringComparison.Ordinal)..invite.IndexOf('~', StringComparison.Ordinal)];

    private static string Address(string door, string key) => $"net:{door}~shs:{key[1..^".ed25519".Length]}";

    private static string BackupIn(string directory) => Path.Combine(directory, "box.pipub-backup");

    private static string KeyIn(string directory) => Path.Combine(directory, "box.id");

    private static void Say(string what) => Console.WriteLine("ok " + what);
}
