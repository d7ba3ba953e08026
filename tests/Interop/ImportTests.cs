using System.Text.Json;

namespace PiPub.Interop;

/// <summary>What a JavaScript program kept is brought along, its messages and who it was.</summary>
public sealed class ImportTests
{
    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task Every_message_that_is_whole_comes_along_once(Stack stack)
    {
        await using var network = new TestNetwork();
        var old = await network.StartAsync(stack);
        var friend = await network.StartClassicAsync();
        await PublishOddThingsAsync(old, friend.Id);
        await old.FollowAsync(friend.Id);
        var last = await friend.PublishManyAsync(40, "friend");
        await old.ConnectAsync(friend.Address);
        await old.WaitForAsync(friend.Id, last.Sequence);
        await old.EraseAsync(last.Key);
        var blob = await old.AddBlobAsync("picture", 20_000);
        var held = (await old.HeldAsync()).Where(one => one.Key != last.Key).ToArray();
        await old.SwitchOffAsync();
        await friend.DisposeAsync();
        var pub = await network.StartPiPubAsync();

        var first = await pub.CommandAsync("import", old.Directory);
        var again = await pub.CommandAsync("import", old.Directory);

        Assert.Equal(("finished", held.Length, 0, 0, 1, 0), Counts(first));
        Assert.Equal(("finished", 0, held.Length, 0, 1, 0), Counts(again));
        Assert.Equal((1, 0, 2), (first.GetProperty("blobs").GetInt32(), first.GetProperty("blobsRefused").GetInt32(), first.GetProperty("feeds").GetInt32()));
        Assert.Equal(held.Select(static one => one.Key).Order(), (await KeysAsync(pub, old.Id)).Concat(await KeysAsync(pub, friend.Id)).Order());
        Assert.Equal(0, (await pub.TryCommandAsync("blobs", "get", blob)).ExitCode);
    }

    [Theory]
    [InlineData(32)]
    [InlineData(48)]
    [InlineData(53)]
    public async Task Each_variant_of_flumelog_offset_is_read(int bits)
    {
        await using var network = new TestNetwork();
        var old = await network.StartClassicAsync();
        await PublishOddThingsAsync(old, old.Id);
        var path = Path.Combine(network.NewDirectory("log"), "log.offset");
        await old.CopyLogAsync(path, bits);
        var pub = await network.StartPiPubAsync();

        Assert.Equal(("finished", 6, 0, 0, 0, 0), Counts(await pub.CommandAsync("import", path)));
        Assert.Equal((await old.HeldAsync()).Select(static one => one.Key).Order(), (await KeysAsync(pub, old.Id)).Order());
    }

    [Fact]
    public async Task A_text_that_ssb_db2_could_not_keep_stops_its_feed_there_and_is_told()
    {
        // BIPF has only UTF-8: half a surrogate pair is lost in it, and with it the signature. Peers have the whole message.
        await using var network = new TestNetwork();
        var old = await network.StartModernAsync();
        await old.PublishAsync("before");
        var lost = await old.PublishContentAsync("""{"type":"post","text":"half a pair: \ud83d"}""");
        await old.PublishAsync("after");
        await old.SwitchOffAsync();
        var pub = await network.StartPiPubAsync();

        var result = await pub.CommandAsync("import", Path.Combine(old.Directory, "db2", "log.bipf"));

        Assert.Equal(("finished", 1, 0, 2, 0, 0), Counts(result));
        var trouble = Assert.Single(result.GetProperty("troubles").EnumerateArray());
        Assert.Equal((old.Id, "invalid", lost.Sequence, 2), (trouble.GetProperty("feed").GetString(), trouble.GetProperty("kind").GetString(), trouble.GetProperty("sequence").GetInt64(), trouble.GetProperty("count").GetInt32()));
        Assert.Equal("its signature does not match its author and text", trouble.GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task The_box_goes_on_as_the_old_pub_and_its_friends_notice_nothing(Stack friends)
    {
        await using var network = new TestNetwork();
        var old = await network.StartClassicAsync();
        var friend = await network.StartAsync(friends);
        await friend.RedeemAsync(await old.CreateInviteAsync(1));
        await friend.ConnectAsync(old.Address);
        var last = await old.PublishManyAsync(10, "old pub");
        await friend.WaitForAsync(old.Id, last.Sequence);
        await old.WaitForAsync(friend.Id, 1);
        await friend.DisconnectAsync(old.Id);
        await old.SwitchOffAsync();
        var pub = await network.StartPiPubAsync();
        var former = await File.ReadAllTextAsync(Path.Combine(pub.Directory, "secret"), TestContext.Current.CancellationToken);

        string[] import = ["import", old.Directory, "--secret", Path.Combine(old.Directory, "secret")];
        var (code, _, errors) = await pub.TryCommandAsync(import);
        Assert.Equal(1, code);
        Assert.Contains("will never run again", errors, StringComparison.Ordinal);
        var result = await pub.CommandAsync([.. import, "--old-pub-is-off", "--complete"]);
        Assert.Equal((old.Id, last.Sequence), (result.GetProperty("identity").GetString(), result.GetProperty("identitySequence").GetInt64()));
        await BecomesAsync(pub, old.Id);

        Assert.Equal(former, await File.ReadAllTextAsync(Path.Combine(pub.Directory, "secret.replaced-1"), TestContext.Current.CancellationToken));
        var next = await pub.CommandAsync("publish", "--text", "I have moved");
        Assert.Equal(last.Sequence + 1, next.GetProperty("value").GetProperty("sequence").GetInt64());
        Assert.Equal(last.Key, next.GetProperty("value").GetProperty("previous").GetString());
        await friend.ConnectAsync($"{pub.Address.Split('~')[0]}~shs:{old.Id[1..^".ed25519".Length]}");
        await friend.WaitForAsync(old.Id, last.Sequence + 1);
        await pub.WaitForAsync(friend.Id, (await friend.PublishAsync("Welcome back")).Sequence);
    }

    [Fact]
    public async Task Without_the_owners_word_that_nothing_is_missing_the_box_waits_for_peers_before_it_publishes()
    {
        await using var network = new TestNetwork();
        var old = await network.StartClassicAsync();
        await old.PublishManyAsync(3, "old pub");
        await old.SwitchOffAsync();
        var pub = await network.StartPiPubAsync();
        await pub.CommandAsync("publish", "--text", "I am somebody myself");
        string[] import = ["import", old.Directory, "--secret", Path.Combine(old.Directory, "secret"), "--old-pub-is-off"];
        var (code, _, errors) = await pub.TryCommandAsync(import);
        Assert.Equal(1, code);
        Assert.Contains("published messages as itself", errors, StringComparison.Ordinal);

        await pub.CommandAsync([.. import, "--replace-identity"]);
        await BecomesAsync(pub, old.Id);

        (code, _, errors) = await pub.TryCommandAsync("publish", "--text", "Too soon");
        Assert.Equal(1, code);
        Assert.Contains("0 of 2 peers", errors, StringComparison.Ordinal);
    }

    private static async Task PublishOddThingsAsync(JsPeer old, string recipient)
    {
        await old.PublishContentAsync("""{"type":"post","text":"😀 ünïcödé \u0001 \u2028 / \\ \" 🏴‍☠️","b":1,"a":2,"10":3,"9":4}""");
        await old.PublishContentAsync("""{"type":"odd","numbers":[1e21,1e-7,-0.1,123456789012345680000,0.1,2147483648,-2147483648,1e300],"nothing":null,"yes":true,"empty":{},"list":[[],[{}]]}""");
        await old.PublishContentAsync($$"""{"type":"post","text":"{{new string('ü', 7600)}}"}""");
        await old.PublishPrivateAsync("Only for you", "box", recipient);
        await old.FollowAsync("@AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=.ed25519");
        if (old.Stack == Stack.Classic)
            await old.PublishContentAsync("""{"type":"post","text":"half a pair: \ud83d"}""");
        else
            await old.PublishPrivateAsync("For you, too", "box2", recipient, old.Id);
    }

    private static (string State, int Added, int Known, int Refused, int Deleted, int Damages) Counts(JsonElement result) =>
        (result.GetProperty("state").GetString()!, result.GetProperty("added").GetInt32(), result.GetProperty("known").GetInt32(),
            result.GetProperty("refused").GetInt32(), result.GetProperty("deleted").GetInt32(), result.GetProperty("damages").GetInt32());

    private static async Task<string[]> KeysAsync(PiPubProcess pub, string feed)
    {
        var (code, output, errors) = await pub.TryCommandAsync("log", "export", "--feed", feed);
        Assert.True(code == 0, errors);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line).GetProperty("key").GetString()!)];
    }

    private static Task BecomesAsync(PiPubProcess pub, string id) => Eventually.BecomesTrueAsync(
        async () => await pub.TryCommandAsync("whoami") is { ExitCode: 0 } answer && JsonElement.Parse(answer.Output).GetProperty("id").GetString() == id,
        $"The box is {id}");
}
