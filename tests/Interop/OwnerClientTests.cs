using System.Text.Json;

namespace PiPub.Interop;

/// <summary>What the JavaScript tools call, by an ssb-client that knows nothing of PiPub: it reads the manifest first.</summary>
public sealed class OwnerClientTests
{
    [Fact]
    public async Task It_publishes_and_reads_back_what_it_published()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);

        Assert.Equal(pub.Id, (await owner.CallAsync("whoami")).GetProperty("id").GetString());
        var post = await owner.CallAsync("publish", """[{"type":"post","text":"Hello from the keyboard"}]""");

        var key = post.GetProperty("key").GetString()!;
        Assert.Equal("Hello from the keyboard", (await owner.CallAsync("get", $"[{Quote(key)}]")).GetProperty("content").GetProperty("text").GetString());
        Assert.Equal(key, (await owner.CallAsync("get", $$"""[{"id":{{Quote(key)}},"meta":true}]""")).GetProperty("key").GetString());
        var sequence = post.GetProperty("value").GetProperty("sequence").GetInt64();
        Assert.Equal(sequence, (await owner.CallAsync("getVectorClock")).GetProperty(pub.Id).GetInt64());
        Assert.Equal(JsonValueKind.Object, (await owner.CallAsync("status")).ValueKind);
        await Assert.ThrowsAsync<JsPeerException>(() => owner.CallAsync("get", """["%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256"]"""));
    }

    [Fact]
    public async Task Its_streams_give_the_same_messages_in_their_own_orders()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);
        for (var i = 1; i <= 5; i++)
            await owner.CallAsync("publish", $$"""[{"type":"post","text":"number {{i}}"}]""");
        await owner.CallAsync("publish", """[{"type":"vote","vote":{"link":"%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256","value":1}}]""");

        var log = await owner.CollectAsync("createLogStream", "[{}]");
        var count = log.Count;
        var feed = await owner.CollectAsync("createFeedStream", """[{"reverse":true}]""");
        var user = await owner.CollectAsync("createUserStream", $$"""[{"id":{{Quote(pub.Id)}},"reverse":true,"limit":3}]""");
        var history = await owner.CollectAsync("createHistoryStream", $$"""[{"id":{{Quote(pub.Id)}},"seq":2,"keys":false}]""");
        var votes = await owner.CollectAsync("messagesByType", """["vote"]""");
        var links = await owner.CollectAsync("links", """[{"rel":"vote","values":true}]""");
        var latest = await owner.CollectAsync("latest");

        Assert.Equal(Keys(log), Keys(feed).Reverse());
        Assert.Equal(Keys(log).Reverse().Take(3), Keys(user));
        Assert.Equal(Enumerable.Range(2, count - 1).Select(n => (long)n), history.Select(value => value.GetProperty("sequence").GetInt64()));
        Assert.Equal(Keys(log)[^1], Assert.Single(votes).GetProperty("key").GetString());
        Assert.Equal("%AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.sha256", Assert.Single(links).GetProperty("dest").GetString());
        Assert.Contains(latest, one => one.GetProperty("id").GetString() == pub.Id && one.GetProperty("sequence").GetInt64() == count);
    }

    [Fact]
    public async Task A_live_stream_brings_what_is_published_after_it_was_opened()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);

        await owner.BeginAsync("log", "createLogStream", """[{"live":true,"old":false}]""", 2);
        await owner.BeginAsync("posts", "messagesByType", """[{"type":"post","live":true,"old":false}]""", 2);
        var first = await owner.CallAsync("publish", """[{"type":"post","text":"one"}]""");
        var second = await owner.CallAsync("publish", """[{"type":"post","text":"two"}]""");

        string[] expected = [first.GetProperty("key").GetString()!, second.GetProperty("key").GetString()!];
        Assert.Equal(expected, Keys(await owner.TakenAsync("log")));
        Assert.Equal(expected, Keys(await owner.TakenAsync("posts")));
    }

    [Fact]
    public async Task Its_contact_messages_follow_and_block_as_the_commands_do()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartModernAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);

        await owner.CallAsync("publish", $$"""[{"type":"contact","contact":{{Quote(client.Id)}},"following":true}]""");
        await client.ConnectAsync(pub.Address);
        await pub.WaitForAsync(client.Id, (await client.PublishAsync("Followed without an invite")).Sequence);
        Assert.True((await AskAsync("friends.isFollowing")).GetBoolean());
        Assert.Equal(1, (await owner.CallAsync("friends.hops", "[{}]")).GetProperty(client.Id).GetInt32());

        await owner.CallAsync("publish", $$"""[{"type":"contact","contact":{{Quote(client.Id)}},"blocking":true}]""");
        await Eventually.BecomesTrueAsync(async () => (await client.PeersAsync()).Length == 0, "The blocked client is disconnected");
        Assert.True((await AskAsync("friends.isBlocking")).GetBoolean());

        Task<JsonElement> AskAsync(string method) =>
            owner.CallAsync(method, $$"""[{"source":{{Quote(pub.Id)}},"dest":{{Quote(client.Id)}}}]""");
    }

    [Fact]
    public async Task It_makes_invites_and_connects_and_handles_blobs()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartClassicAsync();
        var owner = await OwnerClient.ConnectAsync(pub, network);

        await client.RedeemAsync((await owner.CallAsync("invite.create", """[{"uses":1}]""")).GetString()!);
        await owner.CallAsync("conn.connect", $"[{Quote(client.Address)}]");
        Assert.Contains(pub.Id, await client.PeersAsync());
        Assert.NotEmpty((await owner.CallAsync("gossip.peers")).EnumerateArray());
        await owner.CallAsync("conn.disconnect", $"[{Quote(client.Address)}]");
        await Eventually.BecomesTrueAsync(async () => !(await client.PeersAsync()).Contains(pub.Id), "The client is disconnected");

        var blob = await owner.AddBlobAsync("a few words in a blob");
        // ssb-client answers when it has sent the blob, not when the server has kept it.
        await Eventually.BecomesTrueAsync(async () => (await owner.CallAsync("blobs.has", $"[{Quote(blob)}]")).GetBoolean(), "The blob is kept");
        Assert.Equal("a few words in a blob", await owner.ReadBlobAsync(blob));
    }

    [Fact]
    public async Task A_stranger_may_not_call_what_belongs_to_the_owner()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var stranger = await network.StartClassicAsync();
        await stranger.ConnectAsync(pub.Address);

        await Assert.ThrowsAsync<JsPeerException>(() => stranger.CallRemoteAsync(pub.Id, "publish", """[{"type":"post","text":"not mine"}]"""));
        await Assert.ThrowsAsync<JsPeerException>(() => stranger.CallRemoteAsync(pub.Id, "invite.create", """[{"uses":1}]"""));
        Assert.Empty((await stranger.CollectRemoteAsync(pub.Id, "createHistoryStream", $$"""[{"id":{{Quote(stranger.Id)}}}]""")).EnumerateArray());
    }

    private static string Quote(string text) => Conversation.Quote(text);

    private static string[] Keys(List<JsonElement> messages) => [.. messages.Select(one => one.GetProperty("key").GetString()!)];
}
