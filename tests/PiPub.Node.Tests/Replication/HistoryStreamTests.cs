using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Replication;

public class HistoryStreamTests
{
    [Theory]
    [InlineData("""{"id":"@0"}""", "1 2 3 4 5")]
    [InlineData("""{"id":"@0","seq":3}""", "3 4 5")]
    [InlineData("""{"id":"@0","sequence":3}""", "3 4 5")]
    [InlineData("""{"id":"@0","sequence":3,"seq":3}""", "3 4 5")]
    [InlineData("""{"id":"@0","seq":0,"limit":2}""", "1 2")]
    [InlineData("""{"id":"@0","limit":-1}""", "1 2 3 4 5")]
    [InlineData("""{"id":"@0","limit":0}""", "")]
    [InlineData("""{"id":"@0","seq":6}""", "")]
    [InlineData("""{"id":"@0","seq":5,"live":0}""", "5")]
    [InlineData("""{"id":"@0","old":false}""", "")]
    [InlineData("""{"id":"@0","seq":null,"limit":null,"live":null}""", "1 2 3 4 5")]
    [InlineData("\"@0\"", "1 2 3 4 5")]
    [InlineData("\"@0\",4", "4 5")]
    [InlineData("\"@0\",4,false", "4 5")]
    [InlineData("""{"id":"@iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=.ed25519"}""", "")]
    public async Task All_forms_of_asking(string args, string expected)
    {
        await using var box = new Box();
        Assert.Equal(expected, string.Join(' ', (await box.ReadAllAsync(args)).Select(Sequence)));
    }

    [Theory]
    [InlineData("{}", "undefined is not a feed")]
    [InlineData("""{"id":"%x.sha256"}""", "%x.sha256 is not a feed")]
    [InlineData("\"me\"", "me is not a feed")]
    [InlineData("7", "createHistoryStream needs an object with an id")]
    [InlineData("""{"id":"@0","seq":"3"}""", ".seq must be a number")]
    [InlineData("""{"id":"@0","live":"yes"}""", ".live must be a boolean")]
    [InlineData("""{"id":"@0","seq":1,"sequence":2}""", ".seq and .sequence are two names of one thing, and must not differ")]
    public async Task What_makes_no_sense_is_refused_in_words(string args, string error)
    {
        await using var box = new Box();
        var refusal = await Assert.ThrowsAsync<RpcException>(() => box.ReadAllAsync(args));
        Assert.Equal(error, refusal.Message);
    }

    [Fact]
    public async Task Messages_come_whole_or_as_keys_or_as_bare_values()
    {
        await using var box = new Box();
        var value = Encoding.UTF8.GetString(box.Node.Store.Log.ReadValue(0).Span);
        var record = box.Node.Store.Log.Read(0);
        Assert.Equal(value, Assert.Single(await box.ReadAllAsync("""{"id":"@0","keys":false,"limit":1}""")));
        Assert.Equal(record.Message.Id.ToString(), Assert.Single(await box.ReadAllAsync("""{"id":"@0","values":false,"limit":1}""")));
        Assert.Equal(
            $$"""{"key":"{{record.Message.Id}}","value":{{value}},"timestamp":{{record.ReceivedAt}}}""",
            Assert.Single(await box.ReadAllAsync("""{"id":"@0","limit":1}""")));
    }

    [Fact]
    public async Task Live_streams_go_on_and_count_old_and_new_together()
    {
        await using var box = new Box();
        var all = box.Open("""{"id":"@0","live":true,"keys":false}""");
        var fresh = box.Open("""{"id":"@0","live":true,"old":false,"keys":false}""");
        var limited = box.Open("""{"id":"@0","live":true,"limit":7,"keys":false}""");
        var later = box.Open("""{"id":"@0","live":true,"seq":8,"keys":false}""");
        var next = box.Open("\"@0\",6,true");
        for (var sequence = 1; sequence <= 5; sequence++)
        {
            Assert.Equal(sequence, Sequence(await Box.ReadAsync(all)));
            Assert.Equal(sequence, Sequence(await Box.ReadAsync(limited)));
        }

        await Eventually.BecomesTrueAsync(() => box.Node.History.WaitingCount == 5, "the streams to wait");
        await box.Node.PostAsync(4);
        Assert.Equal(6, Sequence(await Box.ReadAsync(fresh)));
        Assert.Equal(8, Sequence(await Box.ReadAsync(later)));
        Assert.Equal(6, Sequence(await Box.ReadAsync(all)));
        Assert.Equal(6, Sequence(await Box.ReadAsync(next)));
        Assert.Equal(6, Sequence(await Box.ReadAsync(limited)));
        Assert.Equal(7, Sequence(await Box.ReadAsync(limited)));
        Assert.Null(await limited.ReadAsync(TestContext.Current.CancellationToken));
        all.Complete();
        await Eventually.BecomesTrueAsync(() => box.Node.History.WaitingCount == 3, "the aborted stream to be forgotten");
    }

    [Fact]
    public async Task Thousands_of_live_streams_share_one_connection()
    {
        await using var box = new Box();
        var stranger = KeyPair.Generate();
        var streams = new List<RpcStream>();
        for (var i = 0; i < 5000; i++)
        {
            var id = i == 4321 ? stranger.Id : new FeedId(System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes(i)));
            streams.Add(box.Open($$"""{"id":"{{id}}","seq":1,"live":true,"keys":false}"""));
        }

        await Eventually.BecomesTrueAsync(() => box.Node.History.WaitingCount == 5000, "all streams to wait");
        await box.Node.PostAsync(stranger, 3);
        for (var sequence = 1; sequence <= 3; sequence++)
        {
            Assert.Equal(sequence, Sequence(await Box.ReadAsync(streams[4321])));
        }
    }

    [Fact]
    public async Task An_author_that_blocks_the_reader_ends_the_stream_and_gives_no_other()
    {
        await using var box = new Box();
        var author = KeyPair.Generate();
        await box.Node.PostAsync(author, 2);
        var stream = box.Open($$"""{"id":"{{author.Id}}","live":true,"keys":false}""");
        Assert.Equal(1, Sequence(await Box.ReadAsync(stream)));
        Assert.Equal(2, Sequence(await Box.ReadAsync(stream)));
        await Eventually.BecomesTrueAsync(() => box.Node.History.WaitingCount == 1, "the stream to wait");
        await box.Node.PublishAsync(author, $$"""{"type":"contact","contact":"{{box.Reader}}","blocking":true}""");
        while (await stream.ReadAsync(TestContext.Current.CancellationToken) is not null)
        {
        }

        Assert.Empty(await box.ReadAllAsync($$"""{"id":"{{author.Id}}"}"""));
    }

    private static int Sequence(string json)
    {
        using var message = JsonDocument.Parse(json);
        return (message.RootElement.TryGetProperty("value", out var value) ? value : message.RootElement).GetProperty("sequence").GetInt32();
    }

    /// <summary>A node with five messages of its own, and a connection to it.</summary>
    private sealed class Box : IAsyncDisposable
    {
        private readonly ReplicatingNode _reader = new(hasEbt: false);
        private readonly ReplicatingNode.Connection _connection;

        public Box()
        {
            Node.PostAsync(5).GetAwaiter().GetResult();
            _connection = ReplicatingNode.Connect(_reader, Node);
        }

        public ReplicatingNode Node { get; } = new(options: new() { EbtPatience = TimeSpan.FromHours(1) });

        public FeedId Reader => _reader.Id;

        public static async Task<string> ReadAsync(RpcStream stream) =>
            Encoding.UTF8.GetString((await stream.ReadAsync(TestContext.Current.CancellationToken))!.Value.Bytes.Span);

        public RpcStream Open(string args) =>
            _connection.Client.Open("createHistoryStream", CallType.Source, Encoding.UTF8.GetBytes($"[{args}]".Replace("\"@0\"", $"\"{Node.Id}\"", StringComparison.Ordinal)));

        public async Task<List<string>> ReadAllAsync(string args)
        {
            var stream = Open(args);
            var items = new List<string>();
            while (await stream.ReadAsync(TestContext.Current.CancellationToken) is { } body)
            {
                items.Add(Encoding.UTF8.GetString(body.Bytes.Span));
            }

            return items;
        }

        public async ValueTask DisposeAsync()
        {
            await _connection.DisposeAsync();
            await Node.DisposeAsync();
            await _reader.DisposeAsync();
        }
    }
}
