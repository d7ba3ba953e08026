using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Tests.Queries;

/// <summary>The calls of ssb-client in the shapes of ssb-db 20.4.1, by the owner's own connection.</summary>
public sealed class QueryTests : IAsyncLifetime
{
    private const string Nobody = "@AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.ed25519";
    private readonly TemporaryDirectory _directory = new();
    private RunningBox _box = null!;
    private MuxRpcSession _session = null!;

    public async ValueTask InitializeAsync()
    {
        _box = await RunningBox.StartAsync(_directory.Path);
        _session = await _box.ConnectAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        await _box.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Publish_answers_the_whole_message_and_get_finds_it()
    {
        var published = await CallAsync("publish", """[{"type":"post","text":"+ and ü"}]""");
        Assert.Equal(["key", "value", "timestamp"], published.EnumerateObject().Select(member => member.Name));
        var id = published.GetProperty("key").GetString();
        Assert.Equal(published.GetProperty("value").GetRawText(), (await CallAsync("get", $"""["{id}"]""")).GetRawText());
        Assert.Equal(published.GetProperty("value").GetRawText(), (await CallAsync("get", $$"""[{"id":"{{id}}","private":true}]""")).GetRawText());
        Assert.Equal(published.GetRawText(), (await CallAsync("get", $$"""[{"id":"{{id}}","meta":true}]""")).GetRawText());
    }

    [Theory]
    [InlineData("get", """["%AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=.sha256"]""", "Key not found in database")]
    [InlineData("get", "[]", "key *must* be a ssb message id")]
    [InlineData("get", "[7]", "key *must* be a ssb message id")]
    [InlineData("publish", "[]", "Param 0 must be of type string|msgContent")]
    [InlineData("publish", """[{"text":"no type"}]""", "must have a .type")]
    [InlineData("latestSequence", $"""["{Nobody}"]""", "not found:" + Nobody)]
    [InlineData("latestSequence", "[1]", "must be of type feedId")]
    [InlineData("getAtSequence", $"""[["{Nobody}",1]]""", "Key not found in database")]
    public async Task What_cannot_be_answered_is_refused_in_words(string method, string arguments, string words)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => CallAsync(method, arguments));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("createLogStream", """[{"limit":"many"}]""", ".limit")]
    [InlineData("createLogStream", """[{"live":"yes"}]""", ".live")]
    [InlineData("createUserStream", "[{}]", "must have a .id")]
    [InlineData("createUserStream", """[{"id":7}]""", ".id")]
    [InlineData("messagesByType", "[{}]", "must have a .type")]
    [InlineData("links", """[{"dest":"nothing"}]""", ".dest")]
    [InlineData("links", """[{"keys":false,"meta":false}]""", "makes no sense")]
    [InlineData("links", "[]", "must be of type object")]
    public async Task What_cannot_be_streamed_is_refused_in_words(string method, string arguments, string words)
    {
        var error = await Assert.ThrowsAsync<RpcException>(() => CollectAsync(method, arguments));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_take_keys_values_limit_reverse_and_ranges()
    {
        var keys = await PublishAsync(5);
        var times = (await CollectAsync("createLogStream", "[]")).Select(item => JsonElement.Parse(item).GetProperty("timestamp").GetInt64()).ToList();

        Assert.Equal(keys, await CollectAsync("createLogStream", """[{"values":false}]"""));
        Assert.Equal(keys, (await CollectAsync("createLogStream", "[]")).Select(Key));
        Assert.Equal(keys.AsEnumerable().Reverse().Take(2), await CollectAsync("createLogStream", """[{"values":false,"reverse":1,"limit":2}]"""));
        Assert.Empty(await CollectAsync("createLogStream", """[{"limit":0}]"""));
        Assert.Equal(5, (await CollectAsync("createLogStream", """[{"limit":-1,"gt":null}]""")).Count);
        Assert.Equal(times.Count(time => time > times[2]), (await CollectAsync("createLogStream", $$"""[{"gt":{{times[2]}}}]""")).Count);
        Assert.Equal(times.Count(time => time >= times[2]), (await CollectAsync("createLogStream", $$"""[{"gte":{{times[2]}}}]""")).Count);
        Assert.Equal(times.Count(time => time < times[2]), (await CollectAsync("createLogStream", $$"""[{"lt":{{times[2]}}}]""")).Count);
        var values = await CollectAsync("createLogStream", """[{"keys":false}]""");
        Assert.Equal([1, 2, 3, 4, 5], values.Select(value => JsonElement.Parse(value).GetProperty("sequence").GetInt32()));

        Assert.Equal(keys[1..4], await CollectAsync("createUserStream", $$"""[{"id":"{{_box.Id}}","gt":1,"lte":4,"values":false}]"""));
        Assert.Equal([keys[4], keys[3]], await CollectAsync("createUserStream", $$"""[{"id":"{{_box.Id}}","reverse":true,"limit":2,"values":false}]"""));
        Assert.Empty(await CollectAsync("createUserStream", $$"""[{"id":"{{Nobody}}"}]"""));

        Assert.Equal(keys.AsEnumerable().Reverse(), await CollectAsync("createFeedStream", """[{"reverse":true,"lt":9999999999999,"gt":null,"values":false}]"""));
        Assert.True(JsonElement.Parse((await CollectAsync("createFeedStream", """[{"limit":1}]"""))[0]).TryGetProperty("rts", out _));
        Assert.Equal(keys, (await CollectAsync("createRawLogStream", "[]")).Select(item => JsonElement.Parse(item).GetProperty("value").GetProperty("key").GetString()!));
    }

    [Fact]
    public async Task Messages_are_found_by_type_and_by_link()
    {
        var keys = await PublishAsync(2);
        var vote = Key(await CallTextAsync("publish", $$$"""[{"type":"vote","vote":{"link":"{{{keys[0]}}}","value":1}}]"""));
        var reply = Key(await CallTextAsync("publish", $$"""[{"type":"post","root":"{{keys[0]}}","branch":["{{keys[1]}}"],"mentions":[{"link":"{{_box.Id}}"}]}]"""));

        Assert.Equal([vote], await CollectAsync("messagesByType", """[{"type":"vote","values":false}]"""));
        Assert.Equal([vote], (await CollectAsync("messagesByType", """["vote"]""")).Select(Key));
        Assert.Equal(3, (await CollectAsync("messagesByType", """["post"]""")).Count);
        Assert.Equal([reply], await CollectAsync("messagesByType", """[{"type":"post","values":false,"reverse":true,"limit":1}]"""));
        Assert.Empty(await CollectAsync("messagesByType", """["gathering"]"""));

        var toRoot = (await CollectAsync("links", $$"""[{"dest":"{{keys[0]}}"}]""")).Select(item => JsonElement.Parse(item)).ToList();
        Assert.Equal(["root", "vote"], toRoot.Select(link => link.GetProperty("rel").GetString()).Order());
        Assert.All(toRoot, link => Assert.Equal(["source", "rel", "dest", "key"], link.EnumerateObject().Select(member => member.Name)));
        Assert.Equal([vote], await CollectAsync("links", """[{"rel":"vote","meta":false}]"""));
        var whole = JsonElement.Parse((await CollectAsync("links", """[{"rel":"branch","values":true}]"""))[0]);
        Assert.Equal(reply, whole.GetProperty("key").GetString());
        Assert.Equal("post", whole.GetProperty("value").GetProperty("content").GetProperty("type").GetString());
        Assert.Single(await CollectAsync("links", """[{"dest":"feed"}]"""));
        Assert.Equal(4, (await CollectAsync("links", $$"""[{"source":"{{_box.Id}}"}]""")).Count);
        Assert.Empty(await CollectAsync("links", $$"""[{"source":"{{Nobody}}"}]"""));
    }

    [Fact]
    public async Task Live_streams_go_on_where_the_old_messages_end()
    {
        var keys = await PublishAsync(2);
        var both = Open("createLogStream", """[{"live":true,"values":false}]""");
        var byType = Open("messagesByType", """[{"type":"post","live":true,"keys":false}]""");
        var user = Open("createUserStream", $$"""[{"id":"{{_box.Id}}","live":true,"sync":false,"values":false,"gt":1}]""");
        var links = Open("links", """[{"rel":"vote","live":true}]""");
        var feed = Open("createFeedStream", """[{"live":true,"values":false}]""");
        const string Sync = """{"sync":true}""";
        Assert.Equal([keys[0], keys[1], Sync], await TakeAsync(both, 3));
        Assert.Equal([keys[1]], await TakeAsync(user, 1));
        Assert.Equal(Sync, (await TakeAsync(byType, 3))[2]);
        Assert.Equal([Sync], await TakeAsync(links, 1));
        Assert.Equal(Sync, (await TakeAsync(feed, 3))[2]);

        var vote = Key(await CallTextAsync("publish", $$$"""[{"type":"vote","vote":{"link":"{{{keys[0]}}}","value":1}}]"""));
        var post = Key(await CallTextAsync("publish", """[{"type":"post","text":"live"}]"""));
        Assert.Equal([vote, post], await TakeAsync(both, 2));
        Assert.Equal([vote, post], await TakeAsync(user, 2));
        Assert.Equal([vote, post], await TakeAsync(feed, 2));
        Assert.Equal("live", JsonElement.Parse((await TakeAsync(byType, 1))[0]).GetProperty("content").GetProperty("text").GetString());
        Assert.Equal(keys[0], JsonElement.Parse((await TakeAsync(links, 1))[0]).GetProperty("dest").GetString());
        foreach (var stream in (RpcStream[])[both, byType, user, links, feed])
        {
            stream.Complete();
        }
    }

    [Fact]
    public async Task A_stream_of_live_messages_alone_brings_no_old_ones()
    {
        var keys = await PublishAsync(2);
        var live = Open("createLogStream", """[{"old":false,"values":false}]""");
        RpcBody first;
        while (!live.TryRead(out first))
        {
            // The stream begins when the node gets to it; whatever comes first came after that.
            await PublishAsync(1);
        }

        Assert.DoesNotContain(Encoding.UTF8.GetString(first.Bytes.Span), keys);
        live.Complete();
    }

    [Fact]
    public async Task Feeds_are_told_by_clock_and_by_newest_message()
    {
        Assert.Equal("{}", (await CallAsync("getVectorClock", "[]")).GetRawText());
        var keys = await PublishAsync(3);
        Assert.Equal(3, (await CallAsync("getVectorClock", "[]")).GetProperty(_box.Id).GetInt32());
        Assert.Equal(3, (await CallAsync("latestSequence", $"""["{_box.Id}"]""")).GetInt32());
        Assert.Equal(keys[2], (await CallAsync("getLatest", $"""["{_box.Id}"]""")).GetProperty("key").GetString());
        Assert.Equal(JsonValueKind.Null, (await CallAsync("getLatest", $"""["{Nobody}"]""")).ValueKind);
        Assert.Equal(keys[2], (await CallAsync("getFeedState", $"""["{_box.Id}"]""")).GetProperty("id").GetString());
        Assert.Equal("""{"id":null,"sequence":0}""", (await CallAsync("getFeedState", $"""["{Nobody}"]""")).GetRawText());
        Assert.Equal(keys[1], (await CallAsync("getAtSequence", $"""["{_box.Id}:2"]""")).GetProperty("key").GetString());
        var latest = JsonElement.Parse(Assert.Single(await CollectAsync("latest", "[]")));
        Assert.Equal((_box.Id, 3), (latest.GetProperty("id").GetString(), latest.GetProperty("sequence").GetInt32()));
    }

    [Fact]
    public async Task Old_tools_find_what_they_wait_for_in_the_status()
    {
        await PublishAsync(1);
        var status = await CallAsync("status", "[]");
        Assert.True(status.GetProperty("progress").GetProperty("indexes").TryGetProperty("target", out _));
        Assert.True(status.GetProperty("sync").TryGetProperty("sync", out _));
        Assert.Equal(JsonValueKind.String, (await CallAsync("version", "[]")).ValueKind);
        var manifest = await CallAsync("manifest", "[]");
        foreach (var (method, type) in new[] { ("publish", "async"), ("createLogStream", "source"), ("links", "source"), ("whoami", "sync"), ("status", "sync"), ("latest", "source") })
        {
            Assert.Equal(type, manifest.GetProperty(method).GetString());
        }
    }

    private async Task<string[]> PublishAsync(int count)
    {
        var keys = new string[count];
        for (var i = 0; i < count; i++)
        {
            keys[i] = Key(await CallTextAsync("publish", $$"""[{"type":"post","text":"number {{i}}"}]"""));
        }

        return keys;
    }

    private static string Key(string message) => JsonElement.Parse(message).GetProperty("key").GetString()!;

    private async Task<JsonElement> CallAsync(string method, string arguments) =>
        (await _session.CallAsync(method, Encoding.UTF8.GetBytes(arguments), TestContext.Current.CancellationToken)).ToJson();

    private async Task<string> CallTextAsync(string method, string arguments) => (await CallAsync(method, arguments)).GetRawText();

    private RpcStream Open(string method, string arguments) => _session.Open(method, CallType.Source, Encoding.UTF8.GetBytes(arguments));

    private async Task<List<string>> CollectAsync(string method, string arguments)
    {
        var stream = Open(method, arguments);
        var items = new List<string>();
        while (await stream.ReadAsync(TestContext.Current.CancellationToken) is { } item)
        {
            items.Add(Encoding.UTF8.GetString(item.Bytes.Span));
        }

        stream.Complete();
        return items;
    }

    private static async Task<List<string>> TakeAsync(RpcStream stream, int count)
    {
        var items = new List<string>();
        while (items.Count < count)
        {
            var item = await stream.ReadAsync(TestContext.Current.CancellationToken) ?? throw new InvalidOperationException("The stream ended.");
            items.Add(Encoding.UTF8.GetString(item.Bytes.Span));
        }

        return items;
    }
}
