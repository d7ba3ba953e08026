using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Log;
using PiPub.Storage.Views;

namespace PiPub.Benchmarks.Parts;

/// <summary>
/// What keeping messages costs an SD card: appends in batches with the views following, and the bytes that the kernel
/// counts as written by this process, views, journals and half-filled pages included. Then the start and the views anew.
/// </summary>
internal static class Keeping
{
    private const int Authors = 20;
    private const int BatchMessages = 500;

    public static async Task RunAsync(string workDirectory, int count, Results results)
    {
        var directory = Path.Combine(workDirectory, "keeping");
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        var messages = MakeMessages(count);
        var kept = messages.Sum(static message => (long)message.Value.Length);

        var before = BytesWritten();
        var clock = Stopwatch.StartNew();
        double appended, caughtUp;
        await using (var box = new Box(directory))
        {
            for (var i = 0; i < count; i += BatchMessages)
                await box.Store.AppendAsync(messages[i..Math.Min(count, i + BatchMessages)], 1_700_000_000_000 + i, CancellationToken.None);
            appended = clock.Elapsed.TotalSeconds;
            await box.Views.WhenCaughtUpAsync(CancellationToken.None);
            caughtUp = clock.Elapsed.TotalSeconds;
        }

        var ratio = (BytesWritten() - before) / (double)kept;
        results.Add(new("bytes written for each byte kept, views included", $"{ratio.ToString("0.00", CultureInfo.InvariantCulture)}",
            $"{count:N0} messages of {kept / count} bytes, {BatchMessages} a batch", ratio.ToString("0.00", CultureInfo.InvariantCulture), "at most 1.5", ratio <= 1.5));
        results.Add(new("append", $"{count / appended:N0}/s", $"with the views caught up: {count / caughtUp:N0}/s", "", "", Met: null));

        clock.Restart();
        await using (new Box(directory, follow: false))
            results.Add(new("start on that log", $"{clock.ElapsedMilliseconds} ms", "", "", "", Met: null));

        foreach (var file in Directory.GetFiles(directory, "views.sqlite*"))
            File.Delete(file);
        await using var anew = new Box(directory, follow: false);
        clock.Restart();
        anew.Views.Follow(anew.Store);
        await anew.Views.WhenCaughtUpAsync(CancellationToken.None);
        results.Add(new("views made anew", $"{count / clock.Elapsed.TotalSeconds:N0} messages/s", "", "", "", Met: null));
    }

    private static long BytesWritten() =>
        long.Parse(File.ReadLines("/proc/self/io").First(static line => line.StartsWith("write_bytes", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    /// <summary>A mix as people write it: posts in threads, votes, contacts.</summary>
    private static Message[] MakeMessages(int count)
    {
        var random = new Random(1);
        var keys = Enumerable.Range(0, Authors).Select(static i => KeyPair.FromSeed(SHA256.HashData([(byte)i]))).ToArray();
        var tips = new FeedTip[Authors];
        var messages = new Message[count];
        for (var i = 0; i < count; i++)
        {
            var author = i / 50 % Authors;
            var root = i == 0 ? default : messages[random.Next(i)].Id;
            var content = random.Next(10) switch
            {
                0 or 1 => $$"""{"type":"contact","contact":"{{new FeedId(SHA256.HashData(BitConverter.GetBytes(random.Next(3000))))}}","following":true}""",
                < 5 => $$"""{"type":"vote","vote":{"link":"{{root}}","value":1,"expression":"Like"},"branch":"{{root}}"}""",
                _ => $$"""{"type":"post","root":"{{root}}","branch":"{{root}}","text":"{{new string('x', random.Next(20, 500))}}","mentions":[{"link":"{{keys[random.Next(Authors)].Id}}"}]}""",
            };
            messages[i] = ClassicFeed.Create(keys[author], tips[author], 1_600_000_000_000 + (i * 1000L), Encoding.UTF8.GetBytes(content));
            tips[author] = new FeedTip(messages[i].Sequence, messages[i].Id);
        }

        return messages;
    }

    private sealed class Box : IAsyncDisposable
    {
        private readonly SegmentedMessageLog log;

        public Box(string directory, bool follow = true)
        {
            log = SegmentedMessageLog.Open(Path.Combine(directory, "log"));
            Views = MessageViews.Open(Path.Combine(directory, "views.sqlite"), log);
            Store = new MessageStore(log, Views);
            if (follow)
                Views.Follow(Store);
        }

        public MessageViews Views { get; }

        public MessageStore Store { get; }

        public async ValueTask DisposeAsync()
        {
            await Views.DisposeAsync();
            Store.Dispose();
            await log.DisposeAsync();
        }
    }
}
