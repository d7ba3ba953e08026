namespace PiPub.Interop;

/// <summary>The web viewers that people run beside ssb-server start against PiPub and serve pages of what it keeps.</summary>
public sealed class ViewerTests
{
    [Fact]
    public async Task Ssb_viewer_serves_a_thread_and_a_feed()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);
        await owner.CallAsync("publish", $$"""[{"type":"about","about":{{Conversation.Quote(pub.Id)}},"name":"The box in the hall"}]""");
        var root = (await owner.CallAsync("publish", """[{"type":"post","text":"A question about *tortoises*"}]""")).GetProperty("key").GetString()!;
        await owner.CallAsync("publish",
            $$"""[{"type":"post","text":"An answer about hares","root":{{Conversation.Quote(root)}},"branch":{{Conversation.Quote(root)}}}]""");
        using var viewer = await Viewer.StartAsync(network, pub, "ssb-viewer/bin.js");

        var thread = await viewer.GetAsync("/" + Uri.EscapeDataString(root));
        Assert.Contains("<em>tortoises</em>", thread);
        Assert.Contains("An answer about hares", thread);
        Assert.Contains("The box in the hall", thread);
        Assert.Contains("A question about", await viewer.GetAsync("/" + Uri.EscapeDataString(pub.Id)));
    }

    [Fact]
    public async Task Ssb_viewer_serves_a_channel_and_a_blob()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);
        await owner.CallAsync("publish", """[{"type":"post","text":"What to sow in March","channel":"garden"}]""");
        await owner.CallAsync("publish", """[{"type":"post","text":"Something else","channel":"kitchen"}]""");
        var blob = await owner.AddBlobAsync("a few words in a blob");
        await Eventually.BecomesTrueAsync(async () => (await owner.CallAsync("blobs.has", $"[{Conversation.Quote(blob)}]")).GetBoolean(), "The blob is kept");
        using var viewer = await Viewer.StartAsync(network, pub, "ssb-viewer/bin.js");

        var channel = await viewer.GetAsync("/channel/garden");
        Assert.Contains("What to sow in March", channel);
        Assert.DoesNotContain("Something else", channel);
        Assert.Equal("a few words in a blob", await viewer.GetAsync("/" + Uri.EscapeDataString(blob)));
    }

    [Fact]
    public async Task Git_ssb_pushes_a_repository_and_git_ssb_web_shows_it()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        using var viewer = await Viewer.StartAsync(network, pub, "git-ssb-web/server.js");
        var work = network.NewDirectory("work");
        await File.WriteAllTextAsync(Path.Combine(work, "README.md"), "# A garden log\n", TestContext.Current.CancellationToken);

        await viewer.GitAsync(work, "init", "-q", "-b", "main");
        await viewer.GitAsync(work, "add", ".");
        await viewer.GitAsync(work, "-c", "user.name=Gardener", "-c", "user.email=gardener@example.org", "commit", "-q", "-m", "First bed");
        await viewer.RunNodeAsync(work, "git-ssb/bin/git-ssb", "create", "ssb", "garden");
        await viewer.GitAsync(work, "push", "-q", "ssb", "main");

        var repository = (await viewer.GitAsync(work, "remote", "get-url", "ssb")).Trim()["ssb://".Length..];
        var page = await viewer.GetAsync("/" + Uri.EscapeDataString(repository));
        Assert.Contains("garden", page);
        Assert.Contains("README.md", page);
        Assert.Contains("A garden log", page);
        Assert.Contains("First bed", await viewer.GetAsync("/" + Uri.EscapeDataString(repository) + "/commits/main"));
    }
}
