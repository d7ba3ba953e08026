using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Blobs;
using PiPub.Storage.Disk;
using PiPub.Storage.Log;
using PiPub.Storage.Verification;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Verification;

public sealed class StoreVerifierTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly KeyPair[] _authors = [KeyPair.Generate(), KeyPair.Generate(), KeyPair.Generate()];
    private readonly FeedTip[] _tips = new FeedTip[3];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_sound_store_is_clean_beside_a_running_node_and_without_one()
    {
        await WriteAsync(600);
        await using var log = SegmentedMessageLog.Open(_directory["log"], 50_000);
        await using var views = MessageViews.Open(_directory["views.sqlite"], log);
        using var store = new MessageStore(log, views);
        views.Follow(store);
        await using var blobs = FileBlobStore.Open(_directory["blobs"]);
        var id = await AddAsync(blobs, new byte[100_000]);
        var report = await new StoreVerifier().VerifyAsync(_directory["log"], log, blobs, views, progress: null, Stop);
        Assert.Empty(report.Damages);
        Assert.True(report.IsClean);
        Assert.Equal((600, 3, log.End, 0, 1, 100_000), (report.Messages, report.Feeds, report.LogBytes, report.TornBytes, report.Blobs, report.BlobBytes));
        Assert.Equal(600, (await new StoreVerifier().VerifyAsync(_directory["log"], log: null, blobs: null, views: null, progress: null, Stop)).Messages);
        Assert.NotNull(blobs.Size(id));
    }

    [Fact]
    public async Task Changed_bytes_are_reported_with_their_place_and_everything_else_is_still_checked()
    {
        await WriteAsync(400);
        var file = Directory.GetFiles(_directory["log"]).Order(StringComparer.Ordinal).ElementAt(1);
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[20_000] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);
        await using var log = SegmentedMessageLog.Open(_directory["log"], 50_000);
        var report = await new StoreVerifier().VerifyAsync(_directory["log"], log, blobs: null, views: null, progress: null, Stop);
        Assert.Equal(399, report.Messages);
        Assert.False(report.IsClean);
        Assert.Single(report.Damages, damage => damage.Where.Contains(file, StringComparison.Ordinal) && damage.What.Contains("not what was written", StringComparison.Ordinal));
        Assert.Single(report.Damages, damage => damage.What.Contains("those between are missing", StringComparison.Ordinal));
        Assert.Equal(2, report.DamageCount);
        Assert.All(report.Damages, static damage => Assert.Contains("--salvage", damage.WayOut, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_forged_a_repeated_a_forked_and_a_misfiled_message_are_each_reported()
    {
        var (first, second) = (Next(0), Next(0));
        _tips[0] = new FeedTip(1, first.Id);
        var fork = Next(0, "\"other\"");
        var forged = Next(1);
        var value = forged.Value.ToArray();
        value[value.AsSpan().IndexOf("hello"u8)] = (byte)'j';
        var misfiled = Next(2);
        await using (var log = SegmentedMessageLog.Open(_directory["log"]))
        {
            await log.AppendAsync([first, second, first, fork, forged with { Value = value }, misfiled with { Id = first.Id }], 5, Stop);
        }

        var report = await new StoreVerifier().VerifyAsync(_directory["log"], log: null, blobs: null, views: null, progress: null, Stop);
        Assert.Equal(6, report.Messages);
        Assert.Equal(4, report.DamageCount);
        foreach (var what in new[] { "is there again", "is forked", "is not valid", "but is filed as" })
        {
            Assert.Single(report.Damages, damage => damage.What.Contains(what, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_torn_tail_is_no_damage_but_a_shortened_log_in_use_is()
    {
        await WriteAsync(100);
        var file = Directory.GetFiles(_directory["log"]).Order(StringComparer.Ordinal).Last();
        await using (var log = SegmentedMessageLog.Open(_directory["log"], 50_000))
        {
            using (var stream = File.Open(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            {
                stream.SetLength(stream.Length - 10);
            }

            var damaged = await new StoreVerifier().VerifyAsync(_directory["log"], log, blobs: null, views: null, progress: null, Stop);
            Assert.Equal(99, damaged.Messages);
            Assert.False(damaged.IsClean);
        }

        var torn = await new StoreVerifier().VerifyAsync(_directory["log"], log: null, blobs: null, views: null, progress: null, Stop);
        Assert.True(torn.IsClean);
        Assert.True(torn.TornBytes > 0);
        Assert.Equal(99, torn.Messages);
    }

    [Fact]
    public async Task A_changed_and_a_missing_blob_are_reported()
    {
        Directory.CreateDirectory(_directory["log"]);
        await using var blobs = FileBlobStore.Open(_directory["blobs"]);
        var (sound, changed, missing) = (await AddAsync(blobs, new byte[10]), await AddAsync(blobs, new byte[20]), await AddAsync(blobs, new byte[30]));
        await File.WriteAllBytesAsync(blobs.PathOf(changed), [.. new byte[19], 1], Stop);
        File.Delete(blobs.PathOf(missing));
        var report = await new StoreVerifier().VerifyAsync(_directory["log"], log: null, blobs, views: null, progress: null, Stop);
        Assert.Single(report.Damages, damage => damage.Where == blobs.PathOf(changed));
        Assert.Single(report.Damages, damage => damage.Where == blobs.PathOf(missing));
        Assert.DoesNotContain(report.Damages, damage => damage.Where == blobs.PathOf(sound));
        Assert.Null(blobs.Size(missing));
    }

    [Fact]
    public async Task A_salvage_keeps_what_continues_its_feed_and_leaves_the_old_log_beside_it()
    {
        await WriteAsync(300);
        var file = Directory.GetFiles(_directory["log"]).Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);
        using var data = DataDirectory.Open(_directory.Path, reserveBytes: 0);
        var salvage = await LogSalvage.RunAsync(data, Stop);
        Assert.Equal(300, salvage.Kept + salvage.Left + 1);
        Assert.InRange(salvage.Left, 1, 100);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(salvage.DamagedLog, Path.GetFileName(file)), Stop));
        var report = await new StoreVerifier().VerifyAsync(data.LogPath, log: null, blobs: null, views: null, progress: null, Stop);
        Assert.True(report.IsClean);
        Assert.Equal(salvage.Kept, report.Messages);
    }

    private static async Task<BlobId> AddAsync(FileBlobStore blobs, byte[] bytes)
    {
        await using var writer = blobs.BeginWrite(1 << 20);
        await writer.WriteAsync(bytes, Stop);
        return (await writer.CommitAsync(expected: null, Stop)).Id;
    }

    private async Task WriteAsync(int messages)
    {
        await using var log = SegmentedMessageLog.Open(_directory["log"], 50_000);
        for (var i = 0; i < messages; i += 20)
        {
            await log.AppendAsync([.. Enumerable.Range(i, 20).Select(number => Next(number % 3))], i, Stop);
        }
    }

    private Message Next(int author, string text = "\"hello\"")
    {
        var content = System.Text.Encoding.UTF8.GetBytes($$"""{"type":"post","text":{{text}}}""");
        var message = ClassicFeed.Create(_authors[author], _tips[author], 1_700_000_000_000, content);
        _tips[author] = new FeedTip(message.Sequence, message.Id);
        return message;
    }
}
