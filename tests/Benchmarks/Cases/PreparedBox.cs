using System.Security.Cryptography;
using System.Text;
using PiPub.Interop;
using PiPub.Node.Identity;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Log;

namespace PiPub.Benchmarks.Cases;

/// <summary>A data directory with an identity of its own, a log of made-up posts, and a box that follows all their authors. The same authors write the same posts in each.</summary>
internal static class PreparedBox
{
    private const long Epoch = 1_600_000_000_000;
    private const int BatchMessages = 500;

    /// <summary>Makes one; answers with the authors.</summary>
    public static async Task<string[]> MakeAsync(string directory, string networkKey, int feeds, int postsEach)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        // The box makes its own key, or it would wait for others to tell what it has published with it.
        await using (var pub = await PiPubProcess.StartAsync(directory, networkKey, Settings))
            await pub.StopAsync();
        var own = SecretFile.ReadFrom(Path.Combine(directory, SecretFile.Name));
        var authors = Enumerable.Range(0, feeds).Select(static i => KeyPair.FromSeed(SHA256.HashData(Encoding.UTF8.GetBytes($"author {i}")))).ToArray();
        await using (var log = SegmentedMessageLog.Open(Path.Combine(directory, "log")))
        {
            using var store = new MessageStore(log);
            var follows = new Feed(own, store.Tip(own.Id));
            await AppendAsync(store, authors.Select(author => follows.Write($$"""{"type":"contact","contact":"{{author.Id}}","following":true}""")));
            var writers = authors.Select(static author => new Feed(author, default)).ToArray();
            await AppendAsync(store, Enumerable.Range(0, feeds * postsEach).Select(i => writers[i % feeds].Write(Post(i))));
        }

        // Once more, until the views are there.
        await using (var pub = await PiPubProcess.StartAsync(directory, networkKey, Settings))
        {
            await using var owner = await Owner.ConnectAsync(pub.Directory);
            await CatchUpAsync(owner);
            await pub.StopAsync();
        }

        return [.. authors.Select(static author => author.Id.ToString())];
    }

    /// <summary>What a box of a benchmark is started with.</summary>
    public static string[] Settings => ["--log-level", "warn", "--discovery", "off"];

    /// <summary>Waits until the views hold all that the log holds.</summary>
    public static async Task CatchUpAsync(Owner owner)
    {
        while (true)
        {
            var indexes = (await owner.CallAsync("status")).GetProperty("progress").GetProperty("indexes");
            if (indexes.GetProperty("current").GetInt64() >= indexes.GetProperty("target").GetInt64())
                return;
            await Task.Delay(20);
        }
    }

    private static async Task AppendAsync(MessageStore store, IEnumerable<Message> messages)
    {
        foreach (var batch in messages.Chunk(BatchMessages))
            await store.AppendAsync(batch, Epoch, CancellationToken.None);
    }

    /// <summary>As long as people write it, and the same in every run.</summary>
    private static string Post(int number)
    {
        var bytes = SHA512.HashData(BitConverter.GetBytes(number));
        var text = new StringBuilder();
        for (var i = 0; i <= bytes[0] % 6; i++)
            text.Append(Convert.ToBase64String(bytes));
        return $$"""{"type":"post","text":"{{text}}"}""";
    }

    private sealed class Feed(KeyPair keys, FeedTip tip)
    {
        private FeedTip tip = tip;

        public Message Write(string content)
        {
            var message = ClassicFeed.Create(keys, tip, Epoch + (tip.Sequence * 1000L), Encoding.UTF8.GetBytes(content));
            tip = new FeedTip(message.Sequence, message.Id);
            return message;
        }
    }
}
