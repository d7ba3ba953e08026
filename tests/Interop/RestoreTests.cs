namespace PiPub.Interop;

/// <summary>A box whose card is lost is put back from a backup, and goes on without splitting its feed.</summary>
public sealed class RestoreTests
{
    [Fact]
    public async Task The_card_is_lost_and_a_new_box_fetches_what_the_backup_lacks_before_it_publishes()
    {
        await using var network = new TestNetwork();
        var passphrase = Path.Combine(network.Directory, "passphrase");
        await File.WriteAllTextAsync(passphrase, "four words in a row\n", TestContext.Current.CancellationToken);
        var backup = Path.Combine(network.Directory, "kitchen.pipub-backup");
        var old = await network.StartPiPubAsync();
        var owner = await network.StartModernAsync();
        var friend = await network.StartClassicAsync();
        await owner.RedeemAsync(old.Invite!);
        await owner.ConnectAsync(old.Address);
        await old.WelcomeAsync(friend);
        await old.WaitForAsync(owner.Id, (await owner.PublishAsync("Mine")).Sequence);
        var inPocket = await old.CreateInviteAsync(uses: 2);
        var before = await old.SequenceAsync(old.Id);
        await old.CommandAsync("backup", "create", backup, "--passphrase-file", passphrase);

        // What the box says after the backup, others have and the backup has not.
        await old.CommandAsync("publish", "--text", "After the backup");
        await old.CommandAsync("publish", "--text", "And more");
        await owner.WaitForAsync(old.Id, before + 2);
        await friend.WaitForAsync(old.Id, before + 2);
        await old.KillAsync();
        Directory.Delete(old.Directory, recursive: true);

        var box = await RestoreAsync(network, backup, "--passphrase-file", passphrase);
        Assert.Equal(old.Id, box.Id);
        Assert.Equal(before, await box.SequenceAsync(box.Id));
        var status = await box.CommandAsync("status");
        Assert.Equal(owner.Id, status.GetProperty("owner").GetString());
        Assert.Contains("0 of 2 peers", status.GetProperty("publishing").GetString()!, StringComparison.Ordinal);
        Assert.Equal(1, (await box.TryCommandAsync("publish", "--text", "A fork")).ExitCode);

        // A plug pulled meanwhile changes nothing.
        await box.KillAsync();
        await box.StartAsync();
        await owner.ConnectAsync(box.Address);
        await box.WaitForAsync(box.Id, before + 2);
        Assert.Equal(1, (await box.TryCommandAsync("publish", "--text", "A fork")).ExitCode);
        await friend.ConnectAsync(box.Address);
        await IsReadyAsync(box);

        await box.CommandAsync("publish", "--text", "Back again");
        await owner.WaitForAsync(box.Id, before + 3);
        await friend.WaitForAsync(box.Id, before + 3);
        foreach (var text in (string[])["After the backup", "And more", "Back again"])
            Assert.Equal(text, (await friend.ReadAsync(box.Id, ++before)).GetProperty("signed").GetProperty("content").GetProperty("text").GetString());

        // An invite in somebody's pocket is still good; only the port is another one here.
        var late = await network.StartModernAsync();
        await late.RedeemAsync(inPocket.Replace(PortOf(old.Address), PortOf(box.Address), StringComparison.Ordinal));
        await late.ConnectAsync(box.Address);
        await box.WaitForAsync(late.Id, (await late.PublishAsync("Came later")).Sequence);
    }

    [Fact]
    public async Task With_the_words_alone_the_whole_feed_comes_back_from_peers()
    {
        await using var network = new TestNetwork();
        var old = await network.StartPiPubAsync();
        var owner = await network.StartModernAsync();
        var friend = await network.StartClassicAsync();
        await owner.RedeemAsync(old.Invite!);
        await owner.ConnectAsync(old.Address);
        await old.WelcomeAsync(friend);
        await old.CommandAsync("publish", "--text", "The last words");
        var last = await old.SequenceAsync(old.Id);
        await owner.WaitForAsync(old.Id, last);
        await friend.WaitForAsync(old.Id, last);
        var paper = Path.Combine(network.Directory, "paper");
        await File.WriteAllTextAsync(paper, (await old.CommandAsync("backup", "words")).GetProperty("words").GetString(), TestContext.Current.CancellationToken);
        await old.KillAsync();

        var box = await RestoreAsync(network, "--words-file", paper);
        Assert.Equal(old.Id, box.Id);
        Assert.Equal(0, await box.SequenceAsync(box.Id));
        await owner.ConnectAsync(box.Address);
        await friend.ConnectAsync(box.Address);
        await box.WaitForAsync(box.Id, last);
        await IsReadyAsync(box);
        await box.CommandAsync("publish", "--text", "Back again");
        await owner.WaitForAsync(box.Id, last + 1);
        await friend.WaitForAsync(box.Id, last + 1);
    }

    private static async Task<PiPubProcess> RestoreAsync(TestNetwork network, params string[] from)
    {
        var directory = network.NewDirectory("PiPub");
        var (code, _, errors) = await ChildProcess.RunAsync(
            PiPubProcess.Executable,
            ["backup", "restore", .. from, "--old-box-is-gone", "--data-directory", directory, "--network-key", network.NetworkKey, "--min-free-space", "1MB"],
            TestContext.Current.CancellationToken);
        Assert.True(code == 0, errors);
        return network.Keep(await PiPubProcess.StartAsync(directory, network.NetworkKey));
    }

    private static Task IsReadyAsync(PiPubProcess box) => Eventually.BecomesTrueAsync(
        async () => (await box.CommandAsync("status")).GetProperty("publishing").GetString() == "ready",
        "The box knows that its feed is whole");

    private static string PortOf(string address) => $":{address.Split('~')[0].Split(':')[^1]}";
}
