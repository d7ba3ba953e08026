using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Tests.Blobs;

public sealed class BlobMentionsTests
{
    [Fact]
    public async Task What_wanted_feeds_mention_is_wanted_once_and_never_again_at_a_restart()
    {
        await using var node = new BlobNode();
        using var store = new MessageStore(new MemoryMessageLog());
        var (friend, stranger) = (KeyPair.Generate().Id, KeyPair.Generate().Id);
        node.Authors.Hops[friend] = 1;
        var held = await node.AddAsync(BlobNode.Bytes(100, 1), default(FeedId));
        var (one, two, three) = (Id(1), Id(2), Id(3));
        await TestFeed.AppendAsync(store, friend, $$"""{"type":"post","text":"![]({{one}})","mentions":[{"link":"{{one}}"},{"link":"{{held}}"}]}""");
        await TestFeed.AppendAsync(store, stranger, $$"""{"type":"post","text":"{{two}}"}""");
        await TestFeed.AppendAsync(store, node.Id, $$"""{"type":"about","image":{"link":"{{three}}"} }""");

        await RunUntilAsync(node, store, () => node.Exchange.WantCount == 2, "both blobs are wanted");
        Assert.Equal(new HashSet<BlobId> { one, three }, node.Table.Wants().ToHashSet());
        Assert.Equal(friend, node.Table.WantedFor(one));
        Assert.Equal(store.End, node.Table.Cursor);
        Assert.Equal(friend, node.Table.Find(held)!.Value.Author);

        node.Blobs.RefuseForNow(one);
        await node.RestartAsync();
        Assert.Equal(1, node.Exchange.WantCount);
        await TestFeed.AppendAsync(store, friend, $$"""{"type":"about","image":"{{two}}"}""");
        await RunUntilAsync(node, store, () => node.Exchange.WantCount == 2, "the new mention is wanted");
        Assert.Equal(new HashSet<BlobId> { two, three }, node.Table.Wants().ToHashSet());
    }

    [Fact]
    public async Task A_message_full_of_ids_raises_a_bounded_number_of_wants()
    {
        await using var node = new BlobNode();
        using var store = new MessageStore(new MemoryMessageLog());
        var friend = KeyPair.Generate().Id;
        node.Authors.Hops[friend] = 1;
        await TestFeed.AppendAsync(store, friend, $$"""{"type":"post","text":"{{string.Join(' ', Enumerable.Range(0, 150).Select(Id))}}"}""");
        await RunUntilAsync(node, store, () => node.Table.Cursor == store.End, "the message is looked at");
        Assert.Equal(64, node.Exchange.WantCount);
    }

    [Fact]
    public async Task Another_log_than_before_is_read_from_its_beginning()
    {
        await using var node = new BlobNode();
        using var store = new MessageStore(new MemoryMessageLog());
        node.Table.Cursor = 1_000_000;
        await TestFeed.AppendAsync(store, node.Id, $$"""{"type":"post","text":"{{Id(1)}}"}""");
        await RunUntilAsync(node, store, () => node.Exchange.WantCount == 1, "the blob is wanted");
    }

    private static async Task RunUntilAsync(BlobNode node, MessageStore store, Func<bool> condition, string what)
    {
        using var stop = new CancellationTokenSource();
        var mentions = new BlobMentions(store, node.Exchange, node.Table, node.Authors, TimeProvider.System, NullLogger<BlobMentions>.Instance);
        var running = mentions.RunAsync(stop.Token);
        await Eventually.IsTrueAsync(condition, what);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static BlobId Id(int number) => new(SHA256.HashData(BitConverter.GetBytes(number)));
}
