using System.Diagnostics;
using System.Text;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Hostile;

/// <summary>
/// Two honest peers: a friend of the box with a long feed, which it hands over by EBT piece by piece, and a reader, who has it from the
/// box as it comes in.
/// </summary>
internal sealed class Friend : IAsyncDisposable
{
    /// <summary>Messages that it has in all.</summary>
    public const int Messages = 10_000;

    private static readonly KeyPair Key = KeyPair.Generate();
    private static readonly Lazy<IReadOnlyList<ReadOnlyMemory<byte>>> Feed = new(() => Write(Key, Messages, 1_700_000_000_000));

    private readonly Guest guest;
    private readonly Guest reader;
    private readonly RpcStream replication;
    private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<FeedId> answered = [];
    private int arrived;
    private int sent;
    private int wanted = -1;

    private Friend(Guest guest, Guest reader, RpcStream replication) => (this.guest, this.reader, this.replication) = (guest, reader, replication);

    public static FeedId Id => Key.Id;

    /// <summary>How many of its messages the reader has.</summary>
    public int Arrived => Volatile.Read(ref arrived);

    /// <summary>Becomes a friend of the box, and connects.</summary>
    public static async Task<Friend> ComeAsync(Target target)
    {
        _ = await target.Box.CommandAsync("follow", Key.Id.ToString(), "--privately");
        var writes = await Guest.ConnectAsync(target, Target.Address(5000), Key);
        var reads = await Guest.ConnectAsync(target, Target.Address(5002));
        var friend = new Friend(writes, reads, writes.Speak(target).Open("ebt.replicate", CallType.Duplex, """[{"version":3,"format":"classic"}]"""u8.ToArray()));
        _ = friend.ListenAsync();
        _ = friend.ReadAsync(reads.Speak(target).Open("createHistoryStream", CallType.Source, Encoding.UTF8.GetBytes($$"""[{"id":"{{Id}}","live":true,"keys":false}]""")));

        // So the box tells how far it has got.
        await friend.replication.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{Id}\":{EbtNote.Of(0, receive: false).Value}}}"), TestContext.Current.CancellationToken);
        await friend.asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        return friend;
    }

    /// <summary>Messages of a feed from its beginning.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>> Write(KeyPair author, int count, double timestamp)
    {
        var feed = new List<ReadOnlyMemory<byte>>(count);
        var tip = default(FeedTip);
        for (var i = 0; i < count; i++)
        {
            var content = Encoding.UTF8.GetBytes($$"""{"type":"post","text":"message {{i}} of a friend, about as long as people write them when they are not in a hurry"}""");
            var message = ClassicFeed.Create(author, tip, timestamp + i, content);
            tip = new FeedTip(message.Sequence, message.Id);
            feed.Add(message.Value);
        }

        return feed;
    }

    /// <summary>Hands over the next messages, and tells how long it took until the reader had them.</summary>
    public async Task<TimeSpan> SyncAsync(int count)
    {
        var feed = Feed.Value;
        var clock = Stopwatch.StartNew();
        var upTo = sent + count;
        Assert.True(upTo <= feed.Count, "A friend has no more messages.");
        await replication.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{Id}\":{EbtNote.Of(upTo, receive: true).Value}}}"), TestContext.Current.CancellationToken);
        for (; sent < upTo; sent++)
            await replication.WriteAsync(BodyType.Json, feed[sent], TestContext.Current.CancellationToken);
        while (Arrived < upTo)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(100), $"The reader has {Arrived} of {upTo} messages of a friend after 100 seconds.");
            if (Interlocked.Exchange(ref wanted, -1) is >= 0 and var again && again < Arrived + 1)
            {
                // The box lost some on their way in, and asks once more.
                for (var next = again; next < upTo; next++)
                    await replication.WriteAsync(BodyType.Json, feed[next], TestContext.Current.CancellationToken);
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        return clock.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        await guest.DisposeAsync();
        await reader.DisposeAsync();
    }

    private async Task ReadAsync(RpcStream stream)
    {
        try
        {
            while (await stream.ReadAsync(CancellationToken.None) is not null)
                _ = Interlocked.Increment(ref arrived);
        }
        catch (RpcException)
        {
            // The end of the test.
        }
    }

    private async Task ListenAsync()
    {
        try
        {
            while (await replication.ReadAsync(CancellationToken.None) is { } item)
            {
                // A peer says of every feed whether it has it.
                foreach (var other in Hear(item.Bytes.Span))
                    await replication.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{other}\":{EbtNote.NotReplicated.Value}}}"), CancellationToken.None);
            }
        }
        catch (RpcException)
        {
            // The end of the test.
        }
    }

    /// <summary>Hears what the box says of the own feed, and answers with the others.</summary>
    private List<FeedId> Hear(ReadOnlySpan<byte> notes)
    {
        var others = new List<FeedId>();
        if (!notes.StartsWith("{\"@"u8))
            return others;
        var told = new EbtNotesReader(notes);
        while (told.Read(out var feed, out var note))
        {
            if (feed != Id)
            {
                others.Add(feed);
                continue;
            }

            if (asked.Task.IsCompleted)
            {
                Volatile.Write(ref wanted, note.Receive ? note.Sequence : -1);
                continue;
            }

            sent = Math.Max(0, note.Sequence);
            asked.TrySetResult();
        }

        others.RemoveAll(other => !answered.Add(other));
        return others;
    }
}
