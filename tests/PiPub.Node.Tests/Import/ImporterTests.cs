using System.Security.Cryptography;
using System.Text;
using PiPub.Node.Import;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Import;

public sealed class ImporterTests
{
    private static readonly TestAuthor Mira = new(20);
    private static readonly TestAuthor Otto = new(21);

    [Fact]
    public async Task All_that_verifies_is_kept_and_is_known_the_second_time()
    {
        await using var import = new TestImport();
        var (mira, otto) = (Mira.WriteFeed(30), Otto.WriteFeed(20));
        var source = import.Write(mira.Zip(otto).SelectMany(static pair => new[] { pair.First, pair.Second }).Concat(mira.Skip(20)));

        var first = await import.RunAsync(source);
        var again = await import.RunAsync(source);

        Assert.Equal((ImportState.Finished, 50, 0, 0, 2), (first.State, first.Added, first.Known, first.Refused, first.Feeds));
        Assert.Equal((ImportState.Finished, 0, 50, 0, 2), (again.State, again.Added, again.Known, again.Refused, again.Feeds));
        Assert.Equal((source.LogBytes, source.LogBytes), (first.DoneBytes, first.TotalBytes));
        Assert.Equal(mira.Select(static m => m.Value.ToArray()), import.Door.Stored(Mira.Id));
    }

    [Fact]
    public async Task What_is_not_taken_is_told_for_each_feed()
    {
        await using var import = new TestImport();
        var (forked, gap, blocked, bad) = (new TestAuthor(30), new TestAuthor(31), new TestAuthor(32), new TestAuthor(33));
        import.Blocked.Add(blocked.Id);
        var fork = forked.WriteFeed(3);
        var other = forked.WriteFeed(4, "other", fork.Take(1).ToList());
        var broken = bad.WriteFeed(4);
        List<string> values =
        [
            .. fork.Concat(other.Skip(1)).Concat(gap.WriteFeed(5).Where(static m => m.Sequence != 3)).Concat(blocked.WriteFeed(2)).Concat(broken.Take(1)).Select(static m => Encoding.UTF8.GetString(m.Value.Span)),
            Encoding.UTF8.GetString(broken[1].Value.Span).Replace("\"x\"", "\"y\"", StringComparison.Ordinal),
            Encoding.UTF8.GetString(broken[2].Value.Span),
            """{"previous":null,"author":"ssb:feed/bendybutt-v1/AAAA","sequence":1,"content":{}}""",
        ];

        var result = await import.RunAsync(import.WriteValues(values));

        Assert.Equal((ImportState.Finished, 6, 9, 1), (result.State, result.Added, result.Refused, result.OtherFormats));
        FeedTrouble[] expected =
        [
            new(forked.Id, FeedTroubleKind.Forked, 2, 3, ""),
            new(gap.Id, FeedTroubleKind.Gap, 4, 2, ""),
            new(blocked.Id, FeedTroubleKind.Blocked, 1, 2, ""),
            new(bad.Id, FeedTroubleKind.Invalid, 2, 2, "its signature does not match its author and text"),
        ];
        Assert.Equivalent(expected, result.Troubles, strict: true);
    }

    [Fact]
    public async Task Messages_in_any_order_come_in_by_reading_the_log_again()
    {
        await using var import = new TestImport();
        var feed = Mira.WriteFeed(700);
        var result = await import.RunAsync(import.Write(feed.AsEnumerable().Reverse()));
        Assert.Equal((ImportState.Finished, 700, 0, 0), (result.State, result.Added, result.Known, result.Refused));
        Assert.Empty(result.Troubles);
        Assert.Equal(700, import.Door.Store.SequenceOf(Mira.Id));
    }

    [Fact]
    public async Task A_disk_that_is_full_ends_it_and_it_can_be_made_again()
    {
        await using var import = new TestImport();
        var source = import.Write(Mira.WriteFeed(10));
        import.Door.Log.FailuresLeft = 1000;
        var failed = await import.RunAsync(source);
        Assert.Equal((ImportState.Failed, ImportFailure.DiskFull, 0), (failed.State, failed.Failure, failed.Added));

        import.Door.Log.FailuresLeft = 0;
        import.FreeBytes = -1;
        Assert.Equal(ImportFailure.DiskFull, (await import.RunAsync(source)).Failure);

        import.FreeBytes = 1_000_000;
        Assert.Equal((ImportState.Finished, 10), (await import.RunAsync(source)) is var done ? (done.State, done.Added + done.Known) : default);
    }

    [Fact]
    public async Task It_can_be_stopped_and_there_is_only_one()
    {
        await using var import = new TestImport();
        import.Door.Log.Hold();
        var source = import.Write(Mira.WriteFeed(6000));
        var released = new List<string>();
        import.Importer.Start(new ImportOrder(source, "one") { Release = () => released.Add("one") });
        Assert.Throws<ImportRefusedException>(() => import.Importer.Start(new ImportOrder(source, "two") { Release = () => released.Add("two") }));
        Assert.Equal(["two"], released);

        // Held at the log, it is in the middle: the queue is smaller than the feed.
        import.Importer.Cancel();
        import.Door.Log.Resume();
        var result = await import.EndAsync();

        Assert.Equal(ImportState.Cancelled, result.State);
        Assert.InRange(import.Door.Store.MessageCount, 0, 5999);
        Assert.Equal(["two", "one"], released);
    }

    [Fact]
    public async Task Its_result_is_remembered()
    {
        await using var import = new TestImport();
        var feed = Mira.WriteFeed(3);
        var result = await import.RunAsync(import.Write(feed.Skip(1)));
        Assert.NotEmpty(result.Troubles);

        await using var next = import.Open();

        Assert.Equivalent(result with { EndedAt = null }, next.Progress with { EndedAt = null }, strict: true);
        Assert.Equal(result.EndedAt!.Value.ToUnixTimeMilliseconds(), next.Progress.EndedAt!.Value.ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Blobs_come_along_if_they_are_what_they_are_called_and_there_is_room()
    {
        await using var import = new TestImport();
        var (good, large) = (Blob(import.Old, [1, 2, 3]), Blob(import.Old, new byte[10_001]));
        var wrong = Blob(import.Old, [4], [5]);
        Directory.CreateDirectory(Path.Combine(import.Old, "blobs", "sha256", "xx"));
        await File.WriteAllTextAsync(Path.Combine(import.Old, "blobs", "sha256", "xx", "no blob"), "", TestContext.Current.CancellationToken);

        var first = await import.RunAsync(import.Write());
        var again = await import.RunAsync(import.Write());

        Assert.Equal((ImportState.Finished, 1, 0, 2), (first.State, first.Blobs, first.BlobsKnown, first.BlobsRefused));
        Assert.Equal((0, 1, 2), (again.Blobs, again.BlobsKnown, again.BlobsRefused));
        Assert.Equal((3, null, null), (import.Blobs.Size(good), import.Blobs.Size(large), import.Blobs.Size(wrong)));
    }

    [Fact]
    public async Task Addresses_are_offered_to_the_address_book()
    {
        await using var import = new TestImport();
        var key = Convert.ToBase64String(KeyPair.Generate().Id.AsSpan());
        await File.WriteAllTextAsync(Path.Combine(import.Old, "conn.json"), $$"""{"net:203.0.113.5:8008~shs:{{key}}":{"birth":1},"net:192.168.1.2:8008~shs:{{key}}":{},"nonsense":{} }""", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(import.Old, "gossip.json"), $$"""[{"host":"pub.example","port":8008,"key":"@{{key}}.ed25519"},{"host":7},null]""", TestContext.Current.CancellationToken);

        var result = await import.RunAsync(import.Write(Mira.WriteFeed(1)));

        Assert.Equal(2, result.Addresses);
        Assert.Equal([$"net:203.0.113.5:8008~shs:{key}", $"net:pub.example:8008~shs:{key}"], import.Addresses.All.Select(static one => one.Address.ToString()).Order());
    }

    [Fact]
    public async Task Files_that_vanish_are_told()
    {
        await using var import = new TestImport();
        var source = import.Write(Mira.WriteFeed(1));
        File.Delete(Path.Combine(import.Old, "flume", "log.offset"));
        var result = await import.RunAsync(source);
        Assert.Equal((ImportState.Failed, ImportFailure.Unreadable), (result.State, result.Failure));
    }

    private static BlobId Blob(string directory, byte[] named, byte[]? content = null)
    {
        var hash = SHA256.HashData(named);
        var hex = Convert.ToHexStringLower(hash);
        var folder = Directory.CreateDirectory(Path.Combine(directory, "blobs", "sha256", hex[..2])).FullName;
        File.WriteAllBytes(Path.Combine(folder, hex[2..]), content ?? named);
        return new BlobId(hash);
    }
}
