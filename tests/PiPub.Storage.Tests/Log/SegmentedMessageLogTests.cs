using PiPub.Scuttlebutt.Feeds;
using PiPub.Storage.Log;

namespace PiPub.Storage.Tests.Log;

public sealed class SegmentedMessageLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_appended_is_read_back_the_same_after_reopening()
    {
        var random = new Random(7);
        var feeds = Enumerable.Range(0, 5).Select(static seed => new TestFeed(seed)).ToArray();
        var written = new List<LogRecord>();
        for (var round = 0; round < 20; round++)
        {
            await using var log = SegmentedMessageLog.Open(_directory.Path, segmentBytes: 5000);
            Assert.Equal(0, log.TornBytes);
            AssertSame(written, [.. log.Scan(0)]);
            for (var batch = 0; batch < 3; batch++)
            {
                Message[] messages = [.. Enumerable.Range(0, random.Next(1, 8)).Select(_ => feeds[random.Next(5)].Next(
                    $$"""{"type":"post","text":"{{new string('å', random.Next(0, 1500))}}"}""",
                    timestamp: 1_600_000_000_000 + random.NextDouble() * 1e9,
                    sequenceFirst: random.Next(2) == 0))];
                var received = 1_700_000_000_000 + round;
                var records = await log.AppendAsync(messages, received, TestContext.Current.CancellationToken);
                AssertSame([.. messages.Select((message, i) => new LogRecord(message, received, records[i].Position, records[i].End))], records);
                Assert.Equal(written.Count == 0 ? 0 : written[^1].End, records[0].Position);
                Assert.Equal(records[^1].End, log.End);
                written.AddRange(records);
            }
        }

        await using var last = SegmentedMessageLog.Open(_directory.Path, segmentBytes: 5000);
        Assert.True(Directory.GetFiles(_directory.Path).Length > 10);
        foreach (var record in written)
        {
            AssertSame([record], [last.Read(record.Position)]);
            Assert.True(record.Message.Value.Span.SequenceEqual(last.ReadValue(record.Position).Span));
            AssertSame([.. written.SkipWhile(earlier => earlier.Position < record.Position)], [.. last.Scan(record.Position)]);
        }
    }

    [Fact]
    public async Task A_classic_value_is_stored_with_48_bytes_around_it_and_any_other_with_its_fields_spelt_out()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        var classic = new TestFeed(1).Post();
        var other = new Message(classic.Id, new TestFeed(2).Id, 77, classic.Id, double.MaxValue, new byte[] { 0, 1, 2, 3 });
        var contradicting = classic with { Sequence = 2 };
        var records = await log.AppendAsync([classic, other, contradicting], 5, TestContext.Current.CancellationToken);
        Assert.Equal(48 + classic.Value.Length, records[0].End);
        Assert.Equal(124 + 4, records[1].End - records[1].Position);
        AssertSame(records, [.. log.Scan(0)]);
    }

    [Fact]
    public async Task Values_larger_than_every_buffer_pass_through()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        var feed = new TestFeed(1);
        Message[] messages = [feed.Post(), feed.Post(900_000), feed.Post(), feed.Post(700_000), feed.Post(700_000), feed.Post(2000)];
        var records = await log.AppendAsync(messages, 5, TestContext.Current.CancellationToken);
        AssertSame(records, [.. log.Scan(0)]);
        Assert.All(records, record => Assert.True(record.Message.Value.Span.SequenceEqual(log.ReadValue(record.Position).Span)));
    }

    [Fact]
    public async Task A_position_that_begins_no_record_is_refused()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Read(0));
        Assert.Empty(log.Scan(0));
        var records = await log.AppendAsync([new TestFeed(1).Post()], 5, TestContext.Current.CancellationToken);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.ReadValue(records[0].End));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Read(-1));
        Assert.Equal(3, Assert.Throws<LogDamagedException>(() => log.Read(3)).Position);
        Assert.Throws<LogDamagedException>(() => log.ReadValue(3));
    }

    [Fact]
    public async Task Readers_beside_the_writer_see_whole_records_only()
    {
        await using var log = SegmentedMessageLog.Open(_directory.Path, segmentBytes: 20_000);
        using var store = new MessageStore(log);
        var stop = TestContext.Current.CancellationToken;
        const int total = 2000;
        var feed = new TestFeed(1);
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            long position = 0;
            var seen = 0;
            while (seen < total)
            {
                await store.WaitBeyondAsync(position, stop);
                Assert.True(store.Tip(feed.Id).Sequence > seen);
                foreach (var record in store.Scan(position))
                {
                    Assert.Equal(++seen, record.Message.Sequence);
                    Assert.Equal(record.Position, store.PositionOf(feed.Id, seen));
                    Assert.True(record.Message.Value.Span.SequenceEqual(log.ReadValue(record.Position).Span));
                    position = record.End;
                }
            }

            return seen;
        }, stop)).ToArray();
        for (var i = 0; i < total;)
        {
            Message[] batch = [.. Enumerable.Range(0, Math.Min(total - i, 1 + (i % 37))).Select(_ => feed.Post(i % 1500))];
            await store.AppendAsync(batch, 5, stop);
            i += batch.Length;
        }

        Assert.All(await Task.WhenAll(readers), static seen => Assert.Equal(total, seen));
    }

    internal static void AssertSame(IReadOnlyList<LogRecord> expected, IReadOnlyList<LogRecord> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
        {
            Assert.Equal(expected[i] with { Message = expected[i].Message with { Value = default } }, actual[i] with { Message = actual[i].Message with { Value = default } });
            Assert.True(expected[i].Message.Value.Span.SequenceEqual(actual[i].Message.Value.Span));
        }
    }
}
