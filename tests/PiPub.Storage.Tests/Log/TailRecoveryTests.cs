using PiPub.Storage.Log;

namespace PiPub.Storage.Tests.Log;

public sealed class TailRecoveryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string File => _directory[new string('0', 16) + ".log"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Cut_off_at_any_byte_the_log_keeps_every_whole_record_and_takes_new_ones()
    {
        var (records, bytes, flushed) = await Write(batches: [3, 4]);
        for (var length = flushed; length <= bytes.Length; length++)
        {
            await System.IO.File.WriteAllBytesAsync(File, bytes[..(int)length], TestContext.Current.CancellationToken);
            await AssertRecovered(records, records.Count(record => record.End <= length));
        }
    }

    [Fact]
    public async Task Garbage_or_zeros_at_any_byte_of_the_last_batch_are_cut_off()
    {
        var (records, bytes, flushed) = await Write(batches: [2, 3]);
        for (var at = flushed; at < bytes.Length; at += 3)
        {
            foreach (var filling in new byte[] { 0, 0xff, 0x5a })
            {
                var torn = bytes.ToArray();
                var changed = torn.AsSpan((int)at, Math.Min(700, torn.Length - (int)at));
                changed.Fill(filling);
                var expected = records.TakeWhile(record => record.End <= at || bytes.AsSpan((int)record.Position, (int)(record.End - record.Position))
                    .SequenceEqual(torn.AsSpan((int)record.Position, (int)(record.End - record.Position)))).Count();
                await System.IO.File.WriteAllBytesAsync(File, torn, TestContext.Current.CancellationToken);
                await AssertRecovered(records, expected);
            }
        }
    }

    [Fact]
    public async Task Zeros_and_garbage_after_the_last_record_are_cut_off()
    {
        var (records, bytes, _) = await Write(batches: [2, 1]);
        var noise = new byte[5000];
        foreach (var length in new[] { 1, 7, 8, 9, 47, 48, 49, 4096, 5000 })
        {
            await System.IO.File.WriteAllBytesAsync(File, [.. bytes, .. noise.AsSpan(0, length)], TestContext.Current.CancellationToken);
            await AssertRecovered(records, records.Count);
            new Random(length).NextBytes(noise);
            await System.IO.File.WriteAllBytesAsync(File, [.. bytes, .. noise.AsSpan(0, length)], TestContext.Current.CancellationToken);
            await AssertRecovered(records, records.Count);
            Array.Clear(noise);
        }
    }

    [Fact]
    public async Task A_changed_byte_before_the_last_batch_is_damage_and_nothing_is_cut()
    {
        var (records, bytes, flushed) = await Write(batches: [2, 2, 1]);
        var batchBefore = records[2].Position;
        for (var at = 0L; at < flushed; at += 11)
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0x10;
            await System.IO.File.WriteAllBytesAsync(File, damaged, TestContext.Current.CancellationToken);
            var error = Assert.Throws<LogDamagedException>(() => SegmentedMessageLog.Open(_directory.Path));
            Assert.Equal(records.Last(record => record.Position <= at).Position, error.Position);
            Assert.Contains(File, error.Message, StringComparison.Ordinal);
            Assert.Equal(bytes.Length, new FileInfo(File).Length);
        }

        Assert.True(batchBefore < flushed);
    }

    [Fact]
    public async Task A_missing_or_shortened_earlier_segment_is_damage()
    {
        await using (var log = SegmentedMessageLog.Open(_directory.Path, segmentBytes: 1000))
        {
            var feed = new TestFeed(1);
            for (var i = 0; i < 10; i++)
            {
                await log.AppendAsync([feed.Post()], 5, TestContext.Current.CancellationToken);
            }
        }

        var second = Directory.GetFiles(_directory.Path).Order(StringComparer.Ordinal).ElementAt(1);
        var bytes = await System.IO.File.ReadAllBytesAsync(second, TestContext.Current.CancellationToken);
        await System.IO.File.WriteAllBytesAsync(second, bytes[..^1], TestContext.Current.CancellationToken);
        Assert.Throws<LogDamagedException>(() => SegmentedMessageLog.Open(_directory.Path));
        System.IO.File.Delete(second);
        Assert.Throws<LogDamagedException>(() => SegmentedMessageLog.Open(_directory.Path));
        System.IO.File.Delete(File);
        Assert.Throws<LogDamagedException>(() => SegmentedMessageLog.Open(_directory.Path));
    }

    [Fact]
    public async Task An_empty_last_segment_is_where_writing_goes_on()
    {
        var (records, _, _) = await Write(batches: [2]);
        var feed = new TestFeed(3);
        var next = _directory[records[^1].End.ToString("x16") + ".log"];
        await System.IO.File.WriteAllBytesAsync(next, [], TestContext.Current.CancellationToken);
        await using var log = SegmentedMessageLog.Open(_directory.Path);
        var added = await log.AppendAsync([feed.Post()], 5, TestContext.Current.CancellationToken);
        Assert.Equal(added[0].End - added[0].Position, new FileInfo(next).Length);
        Assert.Equal(3, log.Scan(0).Count());
    }

    private async Task<(IReadOnlyList<LogRecord> Records, byte[] Bytes, long Flushed)> Write(int[] batches)
    {
        var feed = new TestFeed(1);
        var records = new List<LogRecord>();
        await using (var log = SegmentedMessageLog.Open(_directory.Path))
        {
            foreach (var count in batches)
            {
                records.AddRange(await log.AppendAsync([.. Enumerable.Range(0, count).Select(_ => feed.Post())], 5, TestContext.Current.CancellationToken));
            }
        }

        var bytes = await System.IO.File.ReadAllBytesAsync(File, TestContext.Current.CancellationToken);
        return (records, bytes, records[^batches[^1]].Position);
    }

    private async Task AssertRecovered(IReadOnlyList<LogRecord> records, int expected)
    {
        var length = new FileInfo(File).Length;
        await using (var log = SegmentedMessageLog.Open(_directory.Path))
        {
            Assert.Equal(expected == 0 ? 0 : records[expected - 1].End, log.End);
            Assert.Equal(length - log.End, log.TornBytes);
            SegmentedMessageLogTests.AssertSame([.. records.Take(expected)], [.. log.Scan(0)]);
            await log.AppendAsync([new TestFeed(9).Post()], 5, TestContext.Current.CancellationToken);
        }

        await using var again = SegmentedMessageLog.Open(_directory.Path);
        Assert.Equal(0, again.TornBytes);
        Assert.Equal(expected + 1, again.Scan(0).Count());
    }
}
