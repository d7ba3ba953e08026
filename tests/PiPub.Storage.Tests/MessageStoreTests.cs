using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Log;

namespace PiPub.Storage.Tests;

public sealed class MessageStoreTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Tips_and_positions_are_the_same_after_reopening_with_or_without_an_index()
    {
        var feeds = Enumerable.Range(0, 4).Select(static seed => new TestFeed(seed)).ToArray();
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        using var store = new MessageStore(log);
        for (var i = 0; i < 50; i++)
        {
            await store.AppendAsync([feeds[i % 4].Post(), feeds[i % 3].Post()], 5, TestContext.Current.CancellationToken);
        }

        using var scanned = new MessageStore(log);
        using var indexed = new MessageStore(log, new ScannedIndex(log, records: 60));
        foreach (var other in new[] { scanned, indexed })
        {
            Assert.Equal(store.End, other.End);
            Assert.Equal(100, other.MessageCount);
            Assert.Equal(4, other.FeedCount);
            foreach (var feed in feeds)
            {
                Assert.Equal(feed.Tip, other.Tip(feed.Id));
                for (var sequence = -1; sequence <= feed.Tip.Sequence + 1; sequence++)
                {
                    Assert.Equal(store.PositionOf(feed.Id, sequence), other.PositionOf(feed.Id, sequence));
                }
            }

            Assert.Equal(store.Tips().ToDictionary(), other.Tips().ToDictionary());
        }

        Assert.Equal(-1, store.PositionOf(feeds[0].Id, 0));
        Assert.Equal(-1, store.PositionOf(feeds[0].Id, feeds[0].Tip.Sequence + 1));
        Assert.Equal(-1, store.PositionOf(new TestFeed(99).Id, 1));
        Assert.Equal(default, store.Tip(new TestFeed(99).Id));
    }

    [Fact]
    public async Task A_message_that_does_not_follow_its_feed_is_refused_with_its_whole_batch()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        using var store = new MessageStore(log);
        var (feed, other) = (new TestFeed(1), new TestFeed(2));
        var (first, second, third) = (feed.Post(), feed.Post(), feed.Post());
        foreach (var batch in new Message[][] { [other.Post(), second], [first, third], [first, first], [first, second with { Previous = third.Id }] })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await store.AppendAsync(batch, 5, TestContext.Current.CancellationToken));
            Assert.Equal(0, log.End);
            Assert.Empty(store.Tips());
        }

        await store.AppendAsync([first, second], 5, TestContext.Current.CancellationToken);
        await store.AppendAsync([third], 5, TestContext.Current.CancellationToken);
        Assert.Equal(feed.Tip, store.Tip(feed.Id));
    }

    [Fact]
    public async Task Waiting_ends_with_the_next_append_or_with_its_own_cancellation()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        using var store = new MessageStore(log);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var patient = store.WaitBeyondAsync(0, TestContext.Current.CancellationToken).AsTask();
        var impatient = store.WaitBeyondAsync(0, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        Assert.False(patient.IsCompleted);
        var records = await store.AppendAsync([new TestFeed(1).Post()], 5, TestContext.Current.CancellationToken);
        await patient;
        Assert.False(store.WaitBeyondAsync(records[0].End, TestContext.Current.CancellationToken).AsTask().IsCompleted);
    }

    /// <summary>Knows the first records of a log, feed by feed, as a view would.</summary>
    private sealed class ScannedIndex(IMessageLog log, int records) : IFeedIndex
    {
        public long IndexedTo => log.Scan(0).ElementAt(records).Position;

        public void VisitPositions(Action<FeedId, int, long> visit)
        {
            foreach (var message in log.Scan(0).Take(records).OrderBy(static record => record.Message.Author).ThenBy(static record => record.Message.Sequence))
            {
                visit(message.Message.Author, message.Message.Sequence, message.Position);
            }
        }
    }
}
