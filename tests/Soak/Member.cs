using System.Text;
using PiPub.Hostile;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Soak;

/// <summary>Somebody who writes all the time, and whose app comes and goes.</summary>
internal sealed class Member
{
    private const int PerConnection = 100;

    private readonly List<ReadOnlyMemory<byte>> feed = [];
    private FeedTip tip;

    public KeyPair Key { get; } = KeyPair.Generate();

    /// <summary>Messages written so far.</summary>
    public int Written => feed.Count;

    /// <summary>One visit: hands over what the box does not have, writes on for a while, and leaves.</summary>
    public async Task VisitAsync(Target target, int from, CancellationToken stop)
    {
        await using var guest = await Guest.ConnectAsync(target, Target.Address(from), Key);
        var stream = guest.Speak(target).Open("ebt.replicate", CallType.Duplex, """[{"version":3,"format":"classic"}]"""u8.ToArray());
        var asked = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reading = ListenAsync(stream, asked);

        // With a message more than the box can have, so that it asks.
        _ = Write();
        await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{Key.Id}\":{EbtNote.Of(feed.Count, receive: true).Value}}}"), stop);
        var held = await asked.Task.WaitAsync(TimeSpan.FromSeconds(60), stop);
        for (var next = Math.Max(0, held); next < feed.Count; next++)
            await stream.WriteAsync(BodyType.Json, feed[next], stop);
        for (var one = 0; one < PerConnection && !reading.IsCompleted && !stop.IsCancellationRequested; one++)
        {
            await stream.WriteAsync(BodyType.Json, Write(), stop);
            await Task.Delay(150, stop);
        }
    }

    private ReadOnlyMemory<byte> Write()
    {
        var content = Encoding.UTF8.GetBytes($$"""{"type":"post","text":"message {{feed.Count}} of somebody who has more to say than anybody can read, at about the usual length"}""");
        var message = ClassicFeed.Create(Key, tip, TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + (feed.Count / 1000.0), content);
        tip = new FeedTip(message.Sequence, message.Id);
        feed.Add(message.Value);
        return message.Value;
    }

    /// <summary>Hears from which of the feed's messages on the box asks for it, and says of every other feed that it is not here.</summary>
    private async Task ListenAsync(RpcStream stream, TaskCompletionSource<int> asked)
    {
        try
        {
            while (await stream.ReadAsync(CancellationToken.None) is { } item)
            {
                var answer = Answer(item.Bytes.Span, asked);
                if (answer.Length > 2)
                    await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(answer), CancellationToken.None);
            }
        }
        catch (RpcException)
        {
            // The end of the visit.
        }
    }

    private string Answer(ReadOnlySpan<byte> notes, TaskCompletionSource<int> asked)
    {
        var answer = new StringBuilder("{");
        var told = new EbtNotesReader(notes);
        while (notes.StartsWith("{\"@"u8) && told.Read(out var id, out var note))
        {
            if (id != Key.Id && note.Replicate)
                _ = answer.Append(answer.Length > 1 ? "," : "").Append('"').Append(id).Append("\":-1");
            else if (id == Key.Id && note.Receive)
                _ = asked.TrySetResult(note.Sequence);
        }

        return answer.Append('}').ToString();
    }
}
