using PiPub.Storage.Log;

namespace PiPub.Storage.Tests.Log;

public sealed class FailedAppendTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private enum Fault
    {
        None,
        WriteHalf,
        Flush,
        WriteAndCut,
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_full_or_failing_disk_leaves_the_log_as_it_was_and_usable()
    {
        var fault = Fault.None;
        var feed = new TestFeed(1);
        await using var log = SegmentedMessageLog.Open(_directory.Path, 2000, (path, start) => new FaultySegment(path, start, () => fault));
        using var store = new MessageStore(log);
        for (var i = 0; i < 12; i++)
        {
            fault = Fault.None;
            await store.AppendAsync([feed.Post(), feed.Post()], 5, TestContext.Current.CancellationToken);
            var (end, tip) = (log.End, feed.Tip);
            var lost = new TestFeed(2).Post(500);
            foreach (var next in new[] { Fault.WriteHalf, Fault.Flush, Fault.WriteAndCut, Fault.WriteAndCut })
            {
                fault = next;
                var error = await Assert.ThrowsAsync<IOException>(async () => await store.AppendAsync([lost], 6, TestContext.Current.CancellationToken));
                Assert.Contains(_directory.Path, error.Message, StringComparison.Ordinal);
                Assert.Equal(end, log.End);
                Assert.Equal(end, store.End);
                Assert.Equal(tip, store.Tip(feed.Id));
                Assert.Equal(0, store.Tip(lost.Author).Sequence);
                Assert.Equal(feed.Tip.Sequence, log.Scan(0).Count());
            }
        }

        fault = Fault.None;
        await store.AppendAsync([feed.Post()], 5, TestContext.Current.CancellationToken);
        await log.DisposeAsync();
        await using var again = SegmentedMessageLog.Open(_directory.Path, 2000);
        Assert.Equal(0, again.TornBytes);
        Assert.Equal(Enumerable.Range(1, 25), again.Scan(0).Select(static record => record.Message.Sequence));
    }

    [Fact]
    public async Task One_batch_is_one_write_and_one_flush()
    {
        var (writes, flushes) = (0, 0);
        var feed = new TestFeed(1);
        await using var log = SegmentedMessageLog.Open(_directory.Path, SegmentedMessageLog.DefaultSegmentBytes, (path, start) => new FaultySegment(path, start, () => Fault.None)
        {
            Written = () => writes++,
            Flushed = () => flushes++,
        });
        await log.AppendAsync([.. Enumerable.Range(0, 1000).Select(_ => feed.Post(200))], 5, TestContext.Current.CancellationToken);
        Assert.Equal((1, 1), (writes, flushes));
    }

    private sealed class FaultySegment(string directory, long start, Func<Fault> fault) : SegmentFile(directory, start)
    {
        public Action? Written { get; init; }

        public Action? Flushed { get; init; }

        public override void Write(long position, ReadOnlySpan<byte> bytes)
        {
            if (fault() is Fault.WriteHalf or Fault.WriteAndCut)
            {
                base.Write(position, bytes[..(bytes.Length / 2)]);
                throw new IOException("No space left on device");
            }

            Written?.Invoke();
            base.Write(position, bytes);
        }

        public override void Flush()
        {
            if (fault() == Fault.Flush)
            {
                throw new IOException("Input/output error");
            }

            Flushed?.Invoke();
            base.Flush();
        }

        public override void Cut(long position)
        {
            if (fault() == Fault.WriteAndCut)
            {
                throw new IOException("Input/output error");
            }

            base.Cut(position);
        }
    }
}
