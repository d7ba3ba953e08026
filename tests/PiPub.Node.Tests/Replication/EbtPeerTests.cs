using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Replication;

/// <summary>A node against a peer that the test plays item by item.</summary>
public class EbtPeerTests
{
    [Fact]
    public async Task A_peer_that_sends_a_forged_message_is_refused_the_feed_and_keeps_its_session()
    {
        await using var box = new ReplicatingNode();
        await using var peer = new Played(box);
        var (author, other) = (KeyPair.Generate(), KeyPair.Generate());
        box.Scheduler.Ask(author.Id);
        box.Scheduler.Ask(other.Id);
        await peer.ExpectNoteAsync(author.Id, 0);
        await peer.ExpectNoteAsync(other.Id, 0);
        var forged = Encoding.UTF8.GetString(Message(author, default).Value.Span).Replace("hello", "hallo", StringComparison.Ordinal);
        await peer.SendAsync($$"""{"{{author.Id}}":2,"{{other.Id}}":2}""");
        await peer.SendAsync(forged);
        await peer.ExpectNoteAsync(author.Id, -1);
        Assert.Equal(0, box.Store.SequenceOf(author.Id));

        await peer.SendAsync(Encoding.UTF8.GetString(Message(other, default).Value.Span));
        await box.HasAsync(other.Id, 1);
        await peer.SendAsync(Encoding.UTF8.GetString(Message(author, default).Value.Span));
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Equal(0, box.Store.SequenceOf(author.Id));
    }

    [Fact]
    public async Task Messages_that_nobody_asked_for_do_not_reach_the_intake()
    {
        await using var box = new ReplicatingNode();
        await using var peer = new Played(box);
        await peer.ExpectNoteAsync(box.Id, 0);
        var stranger = KeyPair.Generate();
        FeedTip tip = default;
        for (var i = 0; i < 50; i++)
        {
            var message = Message(stranger, tip);
            tip = new FeedTip(message.Sequence, message.Id);
            await peer.SendAsync(Encoding.UTF8.GetString(message.Value.Span));
        }

        await peer.SendAsync($$"""{"{{stranger.Id}}":100}""");
        await peer.ExpectNoteAsync(stranger.Id, -1);
        Assert.Equal(0, box.Store.MessageCount);
        Assert.Equal(0, box.Ebt.Sessions()[0].Received);
    }

    [Fact]
    public async Task A_live_message_reaches_a_hundred_peers()
    {
        await using var box = new ReplicatingNode();
        await box.PostAsync(2);
        var peers = new List<Played>();
        for (var i = 0; i < 100; i++)
        {
            peers.Add(new Played(box));
            await peers[^1].SendAsync($$"""{"{{box.Id}}":4}""");
        }

        await Eventually.BecomesTrueAsync(() => box.Ebt.Sessions().Count == 100, "all sessions");
        foreach (var peer in peers)
        {
            await peer.ExpectNoteAsync(box.Id, 4, 5);
        }

        await box.PostAsync();
        foreach (var peer in peers)
        {
            Assert.Equal(3, (await peer.ReadMessageAsync()).GetProperty("sequence").GetInt32());
            await peer.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_peer_that_does_not_read_costs_itself_only()
    {
        await using var box = new ReplicatingNode();
        await box.PostAsync(3000);
        await using var deaf = new Played(box);
        await using var other = new Played(box);
        await deaf.SendAsync($$"""{"{{box.Id}}":0}""");
        await other.SendAsync($$"""{"{{box.Id}}":0}""");
        for (var sequence = 1; sequence <= 3000; sequence++)
        {
            Assert.Equal(sequence, (await other.ReadMessageAsync()).GetProperty("sequence").GetInt32());
        }

        Assert.Contains(box.Ebt.Sessions(), session => session.Peer == deaf.Id && session.Sent < 3000);
    }

    private static Message Message(KeyPair author, FeedTip tip) =>
        ClassicFeed.Create(author, tip, 1_700_000_000_000, """{"type":"post","text":"hello"}"""u8.ToArray());

    private sealed class Played : IAsyncDisposable
    {
        private readonly ReplicatingNode.Connection _connection;
        private readonly RpcStream _stream;
        private readonly Dictionary<string, int> _notes = [];

        public Played(ReplicatingNode box)
        {
            _connection = new ReplicatingNode.Connection(Id, box);
            _stream = _connection.Client.Open("ebt.replicate", CallType.Duplex, """[{"version":3}]"""u8.ToArray());
        }

        public FeedId Id { get; } = KeyPair.Generate().Id;

        public Task SendAsync(string json) =>
            _stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(json), TestContext.Current.CancellationToken).AsTask();

        /// <summary>Reads until there is a note on a feed that was not expected before; it must be one of these.</summary>
        public async Task ExpectNoteAsync(FeedId feed, params int[] notes)
        {
            int note;
            while (!_notes.Remove(feed.ToString(), out note))
            {
                _ = await ReadAsync();
            }

            Assert.Contains(note, notes);
        }

        public async Task<JsonElement> ReadMessageAsync()
        {
            while (true)
            {
                var item = await ReadAsync();
                if (item.TryGetProperty("author", out _))
                {
                    return item;
                }
            }
        }

        public ValueTask DisposeAsync() => _connection.DisposeAsync();

        private async Task<JsonElement> ReadAsync()
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            patience.CancelAfter(TimeSpan.FromSeconds(60));
            var body = await _stream.ReadAsync(patience.Token);
            Assert.NotNull(body);
            var item = body.Value.ToJson();
            foreach (var property in item.EnumerateObject())
            {
                if (property.Name.StartsWith('@'))
                {
                    _notes[property.Name] = property.Value.GetInt32();
                }
            }

            return item;
        }
    }
}
