using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Views;

namespace PiPub.Storage.Tests.Views;

public sealed class MessageViewsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Every_question_is_answered_as_reading_the_whole_log_would()
    {
        await using var box = await ViewsOverLog.Open(_directory).FollowAsync();
        var messages = new RandomMessages(1);
        for (var i = 0; i < 30; i++)
        {
            await box.AppendAsync(1_600_000_500_000 + (i * 10), messages.Take(40));
        }

        await box.Views.WhenCaughtUpAsync(Stop);
        LogRecord[] all = [.. box.Log.Scan(0)];
        var contents = all.ToDictionary(static record => record.Position, static record => new MessageContent().Read(record.Message.Value));
        Assert.Equal(1200, all.Length);

        Assert.All(all, record => Assert.Equal(record.Position, box.Views.ById(record.Message.Id)?.Position));
        Assert.Null(box.Views.ById(new MessageId(new byte[32])));
        foreach (var type in new[] { "post", "about", "vote", "tangled" })
        {
            long[] expected = [.. all.Where(record => contents[record.Position].Type == type).Select(static record => record.Position)];
            Assert.NotEmpty(expected);
            Assert.Equal(expected, box.Views.ByType(type, ViewRange.All, reverse: false, long.MaxValue));
            Assert.Equal(expected.Reverse(), box.Views.ByType(type, ViewRange.All, reverse: true, long.MaxValue));
            Assert.Equal(expected.Where(static position => position < 200_000), box.Views.ByType(type, ViewRange.All, reverse: false, 200_000));
            Assert.Empty(box.Views.ByType(type, new ViewRange(0, true, all[0].ReceivedAt, false), reverse: false, long.MaxValue));
        }

        var byTime = all.OrderBy(static record => Math.Min(record.ReceivedAt, record.Message.Timestamp)).ThenBy(static record => record.Position).ToArray();
        Assert.Equal(byTime.Select(static record => record.Position), box.Views.ByResolvedTime(ViewRange.All, reverse: false, long.MaxValue).Select(static found => found.Position));
        Assert.Equal(byTime.Reverse().Where(static record => record.Message.Timestamp is >= 1_600_000_100_000 and <= 1_600_000_300_000).Select(static record => record.Position),
            box.Views.ByResolvedTime(new ViewRange(1_600_000_100_000, true, 1_600_000_300_000, true), reverse: true, long.MaxValue).Select(static found => found.Position));
        Assert.Equal(all.Select(static record => record.Position), box.Views.ByArrival(ViewRange.All, reverse: false, long.MaxValue));
        Assert.Equal(all.Reverse().Take(3).Select(static record => record.Position), box.Views.ByArrival(ViewRange.All, reverse: true, long.MaxValue).Take(3));
        Assert.Equal(all.TakeWhile(static record => record.Position < 100_000).Select(static record => record.Position), box.Views.ByArrival(ViewRange.All, reverse: false, 100_000));
        Assert.Equal(all.Where(record => record.ReceivedAt > all[100].ReceivedAt && record.ReceivedAt <= all[900].ReceivedAt).Select(static record => record.Position),
            box.Views.ByArrival(new ViewRange(all[100].ReceivedAt, false, all[900].ReceivedAt, true), reverse: false, long.MaxValue));
        foreach (var feed in messages.Feeds)
        {
            Assert.Equal(Enumerable.Range(1, feed.Tip.Sequence), box.Views.ByFeed(feed.Id).Select(static record => record.Message.Sequence));
            Assert.Equal([9, 8, 7], box.Views.ByFeed(feed.Id, reverse: true, 7, 9).Select(static record => record.Message.Sequence));
        }

        var links = all.SelectMany(record => contents[record.Position].Links.Distinct().Select(link => new LinkRecord(record, link))).ToArray();
        Assert.Equal(links.Select(Text), box.Views.Links(nested: true).Select(Text));
        foreach (var (target, rel, source) in links.Select(static (link, i) => ((LinkTarget?)link.Link.Target, i % 2 == 0 ? link.Link.Rel : null, i % 3 == 0 ? link.Record.Message.Author : (FeedId?)null)).Take(200)
            .Append((null, "root", null)).Append((null, null, messages.Feeds[2].Id)).Append((null, "vote", messages.Feeds[2].Id)))
        {
            foreach (var nested in new[] { false, true })
            {
                string[] expected = [.. links.Where(link => (target is null || link.Link.Target == target) && (rel is null || link.Link.Rel == rel)
                    && (source is null || link.Record.Message.Author == source) && (nested || !link.Link.IsNested)).Select(Text)];
                Assert.Equal(expected, box.Views.Links(target, rel, source, nested).Select(Text));
            }
        }

        var post = links.First(static link => link.Link.Rel == "root");
        Assert.Equal(
            links.Where(link => link.Link.Target == post.Link.Target && !link.Link.IsNested).Select(static link => $"{link.Link.Rel} {link.Record.Position}").Order(StringComparer.Ordinal),
            box.Views.Links(source: null, rel: null, post.Link.Target.ToString(), reverse: false, long.MaxValue).Select(static link => $"{link.Rel} {link.Position}").Order(StringComparer.Ordinal));
        Assert.Equal(
            links.Where(link => link.Link.Target.Sigil == '&' && !link.Link.IsNested && link.Record.Message.Author == messages.Feeds[1].Id).Select(static link => $"{link.Link.Rel} {link.Record.Position}").Order(StringComparer.Ordinal),
            box.Views.Links(messages.Feeds[1].Id.ToString(), rel: null, "&", reverse: false, long.MaxValue).Select(static link => $"{link.Rel} {link.Position}").Order(StringComparer.Ordinal));

        foreach (var number in Enumerable.Range(0, 5))
        {
            Assert.True(BlobId.TryParse(RandomMessages.Blob(number), out var blob));
            Assert.Equal(links.First(link => link.Link.Target == new LinkTarget(blob)).Record.Position, box.Views.FirstMention(blob)?.Position);
        }

        static string Text(LinkRecord link) => $"{link.Record.Position} {link.Link.Rel} {link.Link.Target} {link.Link.IsNested}";
    }

    [Fact]
    public async Task Contacts_and_abouts_keep_the_last_word_and_followers_see_every_change_in_order()
    {
        await using var box = await ViewsOverLog.Open(_directory).FollowAsync();
        var (a, b, c) = (new TestFeed(1), new TestFeed(2), new TestFeed(3));
        await box.AppendAsync(Contact(a, b, "\"following\":true"), Contact(b, c, "\"flagged\":{\"reason\":\"x\"}"));
        await box.Views.WhenCaughtUpAsync(Stop);
        var seen = new List<ContactEdge>();
        using (box.Views.FollowContacts(seen.AddRange))
        {
            Assert.Equal([new(a.Id, b.Id, ContactState.Follow), new(b.Id, c.Id, ContactState.Block)], seen);
            await box.AppendAsync(Contact(a, b, "\"following\":true,\"blocking\":true"), Contact(a, b, "\"pub\":true"), Contact(c, a, "\"following\":1"));
            await box.Views.WhenCaughtUpAsync(Stop);
        }

        ContactEdge[] changes = [new(a.Id, b.Id, ContactState.Block), new(a.Id, b.Id, ContactState.Neutral), new(c.Id, a.Id, ContactState.Neutral)];
        Assert.Equal(changes, seen[2..]);
        await box.AppendAsync(Contact(a, b, "\"following\":true"));
        await box.Views.WhenCaughtUpAsync(Stop);
        Assert.Equal(5, seen.Count);
        Assert.Equal(3, box.Views.Contacts().Count);
        Assert.Contains(new ContactEdge(a.Id, b.Id, ContactState.Follow), box.Views.Contacts());

        await box.AppendAsync(
            a.Next($$"""{"type":"about","about":"{{a.Id}}","name":"first","description":"d"}"""),
            a.Next($$"""{"type":"about","about":"{{a.Id}}","name":"second","description":null}"""),
            b.Next($$"""{"type":"about","about":"{{a.Id}}","name":"nick"}"""));
        await box.Views.WhenCaughtUpAsync(Stop);
        Assert.Equal([(a.Id, "description", "\"d\""), (a.Id, "name", "\"second\""), (b.Id, "name", "\"nick\"")],
            box.Views.Abouts(new LinkTarget(a.Id)).Select(static claim => (claim.Author, claim.Field, System.Text.Encoding.UTF8.GetString(claim.Json.Span)))
                .OrderBy(claim => claim.Author == a.Id ? 0 : 1).ThenBy(static claim => claim.Field, StringComparer.Ordinal));

        static Message Contact(TestFeed author, TestFeed contact, string rest) => author.Next($$"""{"type":"contact","contact":"{{contact.Id}}",{{rest}}}""");
    }

    [Fact]
    public async Task Views_made_anew_answer_as_those_that_followed_live_and_as_those_reopened()
    {
        var messages = new RandomMessages(2);
        string live;
        await using (var box = await ViewsOverLog.Open(_directory).FollowAsync())
        {
            for (var i = 0; i < 100; i++)
            {
                await box.AppendAsync(messages.Take(180)); // enough to be written while following
            }

            await box.Views.WhenCaughtUpAsync(Stop);
            Assert.True(box.Views.WrittenTo > 0);
            live = box.Dump(messages);
        }

        await using (var reopened = ViewsOverLog.Open(_directory))
        {
            Assert.Equal(reopened.Log.End, reopened.Views.WrittenTo);
            Assert.Equal(18_000, reopened.Store.MessageCount);
            Assert.All(messages.Feeds, feed => Assert.Equal(feed.Tip, reopened.Store.Tip(feed.Id)));
            await reopened.FollowAsync();
            Assert.Equal(live, reopened.Dump(messages));
        }

        await using (var anew = ViewsOverLog.Open(_directory, "others.sqlite"))
        {
            Assert.Equal(0, anew.Views.WrittenTo);
            var reports = new List<ViewProgress>();
            anew.Views.Follow(anew.Store, new Reports(reports));
            await anew.Views.WhenCaughtUpAsync(Stop);
            Assert.Equal(live, anew.Dump(messages));
            Assert.Contains(reports, report => report.IndexedBytes > 0 && report.IndexedBytes < anew.Log.End && report.TotalBytes == anew.Log.End);
        }
    }

    [Fact]
    public async Task Unwritten_views_are_made_up_for_after_a_crash()
    {
        var messages = new RandomMessages(3);
        await using var box = await ViewsOverLog.Open(_directory).FollowAsync();
        await box.AppendAsync(messages.Take(17_000));
        await box.AppendAsync(messages.Take(500));
        await box.Views.WhenCaughtUpAsync(Stop);
        var live = box.Dump(messages);

        // What a killed process leaves: the files as they are while the first one still runs.
        using var copy = new TemporaryDirectory();
        CopyAll(_directory.Path, copy.Path);
        await using var crashed = ViewsOverLog.Open(copy);
        Assert.InRange(crashed.Views.WrittenTo, 1, box.Log.End - 1);
        Assert.Equal(17_500, crashed.Store.MessageCount);
        await crashed.FollowAsync();
        Assert.Equal(live, crashed.Dump(messages));
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("half")]
    [InlineData("empty")]
    [InlineData("old")]
    [InlineData("gone")]
    [InlineData("other log")]
    public async Task A_file_that_is_not_the_work_of_this_version_on_this_log_is_made_again(string what)
    {
        var messages = new RandomMessages(4);
        string live;
        await using (var box = await ViewsOverLog.Open(_directory).FollowAsync())
        {
            await box.AppendAsync(messages.Take(2000));
            await box.Views.WhenCaughtUpAsync(Stop);
            live = box.Dump(messages);
        }

        var file = _directory["views.sqlite"];
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        switch (what)
        {
            case "garbage":
                new Random(1).NextBytes(bytes);
                await File.WriteAllBytesAsync(file, bytes, Stop);
                break;
            case "half":
                await File.WriteAllBytesAsync(file, bytes[..(bytes.Length / 2)], Stop);
                break;
            case "empty":
                await File.WriteAllBytesAsync(file, [], Stop);
                break;
            case "old":
                bytes[63] ^= 0x55; // user_version, SQLite file format 1.3
                await File.WriteAllBytesAsync(file, bytes, Stop);
                break;
            case "gone":
                File.Delete(file);
                break;
            default:
                using (var other = new TemporaryDirectory())
                {
                    await using (var box = await ViewsOverLog.Open(other).FollowAsync())
                    {
                        await box.AppendAsync(new RandomMessages(5).Take(1000));
                        await box.Views.WhenCaughtUpAsync(Stop);
                    }

                    File.Copy(other["views.sqlite"], file, overwrite: true);
                }

                break;
        }

        await using var again = await ViewsOverLog.Open(_directory).FollowAsync();
        var answer = await Retried(again, messages);
        Assert.Equal(live, answer);
    }

    [Fact]
    public async Task Damage_that_only_a_read_finds_makes_them_again_behind_its_back()
    {
        var messages = new RandomMessages(6);
        string live;
        await using (var box = await ViewsOverLog.Open(_directory).FollowAsync())
        {
            await box.AppendAsync(messages.Take(3000));
            await box.Views.WhenCaughtUpAsync(Stop);
            live = box.Dump(messages);
        }

        var file = _directory["views.sqlite"];
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        for (var page = 3 * 4096; page < bytes.Length; page += 4096)
        {
            bytes[page + 3000] ^= 1; // inside a packed block of most pages; SQLite itself has no checksums
        }

        await File.WriteAllBytesAsync(file, bytes, Stop);
        await using var again = await ViewsOverLog.Open(_directory).FollowAsync();
        Assert.Equal(live, await Retried(again, messages));
    }

    private static async Task<string> Retried(ViewsOverLog box, RandomMessages messages)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await box.Views.WhenCaughtUpAsync(Stop);
                return box.Dump(messages);
            }
            catch (IOException) when (attempt < 20)
            {
                await Task.Yield();
            }
        }
    }

    private static void CopyAll(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var destination = File.Create(target);
            source.CopyTo(destination);
        }
    }

    private sealed class Reports(List<ViewProgress> reports) : IProgress<ViewProgress>
    {
        public void Report(ViewProgress value) => reports.Add(value);
    }
}
