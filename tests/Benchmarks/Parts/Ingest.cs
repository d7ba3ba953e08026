using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Log;
using PiPub.Storage.State;

namespace PiPub.Benchmarks.Parts;

/// <summary>
/// How much of libsodium's bare verify rate is left when messages are also parsed, canonicalised, named, put in order and
/// kept on disk. Both use all cores, on the same messages.
/// </summary>
internal static class Ingest
{
    private const int Authors = 10;

    public static async Task RunAsync(string workDirectory, int messages, int repeat, Results results)
    {
        var (wires, signed) = MakeMessages(messages);
        var bare = new List<double>();
        var whole = new List<double>();
        for (var i = 0; i < repeat; i++)
        {
            bare.Add(messages / Time(() => VerifyBare(signed)));
            whole.Add(messages / await TimeIngestAsync(Path.Combine(workDirectory, "ingest"), wires));
        }
        bare.Sort();
        whole.Sort();
        double verify = bare[repeat / 2], ingest = whole[repeat / 2];
        results.Add(new("ingest: parse, verify, append", $"{ingest:N0}/s", $"libsodium's verify alone, all cores: {verify:N0}/s",
            (ingest / verify).ToString("0.00", CultureInfo.InvariantCulture), "at least 0.8", ingest / verify >= 0.8));
    }

    /// <summary>Measures how long all cores take to verify so many signatures when they do nothing else, whenever it is called.</summary>
    public static Func<double> BareVerification(int messages)
    {
        var (_, signed) = MakeMessages(messages);
        return () => Time(() => VerifyBare(signed));
    }

    private static double Time(Action work)
    {
        var clock = Stopwatch.StartNew();
        work();
        return clock.Elapsed.TotalSeconds;
    }

    private static void VerifyBare((byte[] Text, byte[] Signature, byte[] Author)[] signed) =>
        Parallel.For(0, signed.Length, i =>
        {
            if (!Sodium.Verify(signed[i].Signature, signed[i].Text, signed[i].Author))
                throw new InvalidOperationException("A signature that was just made does not verify.");
        });

    private static async Task<double> TimeIngestAsync(string directory, ReadOnlyMemory<byte>[] wires)
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(directory);
        await using var log = SegmentedMessageLog.Open(Path.Combine(directory, "log"));
        using var store = new MessageStore(log);
        using var state = StateDatabase.Open(directory);
        var forks = new ForkTable(state);
        await using var intake = new MessageIntake(store, forks, new FeedStatuses(store, forks), new IntakeOptions(), TimeProvider.System, NullLogger<MessageIntake>.Instance);
        var source = new Countdown(wires.Length);
        intake.Start();

        var clock = Stopwatch.StartNew();
        foreach (var wire in wires)
            await intake.SubmitAsync(source, wire, CancellationToken.None);
        await source.Done;
        return clock.Elapsed.TotalSeconds;
    }

    private static (ReadOnlyMemory<byte>[] Wires, (byte[], byte[], byte[])[] Signed) MakeMessages(int count)
    {
        var wires = new ReadOnlyMemory<byte>[count];
        var signed = new (byte[], byte[], byte[])[count];
        var random = new Random(1);
        var keys = Enumerable.Range(0, Authors).Select(i => KeyPair.FromSeed(SHA256.HashData([(byte)i]))).ToArray();
        var tips = new FeedTip[Authors];
        Span<byte> noise = stackalloc byte[346];
        for (var i = 0; i < count; i++)
        {
            var author = i % Authors;
            random.NextBytes(noise);
            var content = Encoding.UTF8.GetBytes($$"""{"type":"post","text":"{{Convert.ToBase64String(noise[..random.Next(30, 346)])}}"}""");
            var message = ClassicFeed.Create(keys[author], tips[author], 1_700_000_000_000 + i, content);
            tips[author] = new FeedTip(message.Sequence, message.Id);
            wires[i] = message.Value;

            signed[i] = Signed(message, keys[author].Id);
        }
        return (wires, signed);
    }

    /// <summary>What libsodium is given alone: the very text that was signed, its signature and its author.</summary>
    private static (byte[], byte[], byte[]) Signed(Message message, FeedId author)
    {
        var text = CanonicalJson.Stringify(message.Value.Span, indented: true);
        var end = text.AsSpan().LastIndexOf(",\n  \"signature\": \""u8);
        var signature = Convert.FromBase64String(Encoding.ASCII.GetString(text, end + 18, 88));
        return ([.. text.AsSpan(0, end), .. "\n}"u8], signature, author.AsSpan().ToArray());
    }

    /// <summary>Waits until every message is safely on the disk.</summary>
    private sealed class Countdown(int messages) : IMessageSource
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int left = messages;

        public Task Done => done.Task;

        public void Judged(FeedId author, int sequence, IntakeVerdict verdict)
        {
            if (verdict != IntakeVerdict.Appended)
                done.TrySetException(new InvalidOperationException($"Message {sequence} of {author} was judged {verdict}."));
            else if (--left == 0)
                done.TrySetResult();
        }
    }
}
