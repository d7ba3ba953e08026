using System.Net;
using PiPub.BrowserTests;
using PiPub.Interop;

namespace PiPub.ImageTests;

/// <summary>
/// Somebody who has just plugged in a box: claims it through its pages in a real browser with the code written on the card, and
/// redeems its first invite with a JavaScript peer. Says each thing that has come about in a line that begins with "ok".
/// </summary>
internal static class Visitor
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Arguments: the box's origin, the claim code, host and port of its door for peers as seen from here, the network key, a directory for the peer.</summary>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [var origin, var code, var door, var networkKey, var directory])
        {
            await Console.Error.WriteLineAsync("Image ORIGIN CLAIM-CODE HOST:PORT NETWORK-KEY DIRECTORY");
            return 2;
        }

        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using var visit = await Visit.OpenAsync(chromium.Browser, origin);
        visit.Page.SetDefaultTimeout((float)Patience.TotalMilliseconds);
        await visit.GoAsync("/");
        await visit.FillAsync("The code that the box shows", code);
        await visit.FillAsync("Choose a password", Visit.Password);
        await visit.FillAsync("The same password again", Visit.Password);
        await visit.ClickToAsync("Continue", "/setup");
        await visit.IsLiveAsync();
        Say("the box is claimed in a browser, by the code on the card");

        await visit.FillAsync("Its name, which everybody sees", "A box of the image");
        await visit.ClickToAsync("Continue", "/setup/connect");
        var invite = await visit.Page.GetByLabel("The invite code").InputValueAsync();
        var key = invite[invite.IndexOf('@', StringComparison.Ordinal)..invite.IndexOf('~', StringComparison.Ordinal)];

        Directory.CreateDirectory(directory);
        // In a network with a cable to the box the peer is there at its own address, else on loopback.
        await using var client = IPAddress.IsLoopback(IPAddress.Parse(door.Split(':')[0]))
            ? await JsPeer.StartAsync(Stack.Modern, directory, networkKey)
            : await JsPeer.StartInAsync(["env"], Stack.Modern, directory, networkKey, lan: false);
        await client.RedeemAsync($"{door}:{invite[invite.IndexOf('@', StringComparison.Ordinal)..]}");
        await client.ConnectAsync($"net:{door}~shs:{key[1..^".ed25519".Length]}");
        await visit.SeesAsync("Your app is connected, and the box follows you now.");
        Say("a JavaScript peer redeems the first invite, and the page sees it");

        await client.WaitForAsync(key, 2, Patience);
        Say("the peer has the box's feed");
        var last = await client.PublishAsync("Hello, box.");
        var deadline = DateTime.UtcNow + Patience;
        while (await client.AcknowledgedAsync(key) < last.Sequence && DateTime.UtcNow < deadline)
            await Task.Delay(200);
        if (await client.AcknowledgedAsync(key) < last.Sequence)
        {
            await Console.Error.WriteLineAsync("The box did not say that it has the peer's message.");
            return 1;
        }

        Say("the box has the peer's message");
        visit.AssertWasQuiet();
        return 0;
    }

    private static void Say(string what) => Console.WriteLine("ok " + what);
}
