using System.Security.Cryptography;
using System.Text;
using PiPub.Interop;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Hostile;

/// <summary>Peers that say too much, or the wrong thing, or will not listen.</summary>
public sealed class FloodTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_million_streams_are_refused_beyond_a_few()
    {
        await using var siege = await Siege.BeginAsync();
        await siege.EndureAsync(async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(1));
            var draining = guest.DrainAsync();
            var author = KeyPair.Generate().Id;
            for (var number = 1; number <= 1_000_000 && !siege.Over.IsCancellationRequested; number++)
                await guest.WriteAsync(0x0a, number, $$"""{"name":["createHistoryStream"],"args":[{"id":"{{author}}","live":true}],"type":"source"}""");
            await siege.WaitAsync(draining);
        });
    }

    [Fact]
    public async Task Readers_that_never_read_cost_a_bounded_amount_of_memory()
    {
        await using var siege = await Siege.BeginAsync();
        await siege.EndureAsync([.. Enumerable.Range(0, 20).Select<int, Func<Task>>(one => async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(one / 10));
            for (var number = 1; number <= 2000 && !siege.Over.IsCancellationRequested; number++)
                await guest.WriteAsync(0x0a, number, $$"""{"name":["createHistoryStream"],"args":[{"id":"{{Friend.Id}}"}],"type":"source"}""").WaitAsync(siege.Over);
            await Task.Delay(Timeout.Infinite, siege.Over);
        })]);
    }

    [Fact]
    public async Task Whoever_says_goodbye_and_reads_nothing_keeps_no_socket_open()
    {
        await using var siege = await Siege.BeginAsync();
        var before = siege.Target.Sockets;
        var guests = new List<Guest>();
        for (var one = 0; one < 20; one++)
        {
            var guest = await Guest.ConnectAsync(siege.Target, Target.Address(one / 10), receives: 4096);
            guests.Add(guest);
            for (var number = 1; number <= 4; number++)
                await guest.WriteAsync(0x0a, number, $$"""{"name":["createHistoryStream"],"args":[{"id":"{{Friend.Id}}"}],"type":"source"}""");
            await Eventually.BecomesTrueAsync(() => Task.FromResult(guest.Unread > 2000), "the box has begun to answer");
        }

        Assert.True(siege.Target.Sockets >= before + guests.Count, "They are not all connected.");
        foreach (var guest in guests)
            await guest.WriteAsync(new byte[FrameHeader.Length]);

        await Eventually.BecomesTrueAsync(() => Task.FromResult(siege.Target.Sockets <= before), $"the box has no more sockets than before ({before}; now {siege.Target.Sockets})");
        foreach (var guest in guests)
            await guest.DisposeAsync();
    }

    [Fact]
    public async Task Floods_of_notes_are_read_slowly()
    {
        var notes = new StringBuilder("{");
        for (var i = 0; i < 15_000; i++)
            notes.Append(i > 0 ? "," : "").Append('"').Append(new FeedId(RandomNumberGenerator.GetBytes(32))).Append("\":").Append(2 * i);
        var item = Encoding.UTF8.GetBytes(notes.Append('}').ToString());
        await using var siege = await Siege.BeginAsync();
        await siege.EndureAsync([.. Enumerable.Range(0, 4).Select<int, Func<Task>>(one => async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(one));
            var stream = guest.Speak(siege.Target).Open("ebt.replicate", CallType.Duplex, """[{"version":3,"format":"classic"}]"""u8.ToArray());
            while (true)
                await stream.WriteAsync(BodyType.Json, item, siege.Over);
        })]);
    }

    [Fact]
    public async Task Floods_of_wants_and_of_lies_about_blobs_are_read_slowly()
    {
        var methods = new RpcMethods();
        methods.Source("blobs.createWants", RpcCallers.Peer, static async (_, stream, stop) =>
        {
            await Siege.JoinAsync();
            while (true)
            {
                var wants = new StringBuilder("{");
                for (var i = 0; i < 2000; i++)
                    wants.Append(i > 0 ? "," : "").Append('"').Append(new BlobId(RandomNumberGenerator.GetBytes(32))).Append("\":").Append(i % 2 == 0 ? -1 : 1000 + i);
                await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes(wants.Append('}').ToString()), stop);
            }
        });
        await using var siege = await Siege.BeginAsync();
        await siege.EndureAsync([.. Enumerable.Range(0, 4).Select<int, Func<Task>>(one => async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(one));
            _ = guest.Speak(siege.Target, methods);
            await Task.Delay(Timeout.Infinite, siege.Over);
        })]);
        await siege.VerifyAsync();
    }

    [Fact]
    public async Task An_endless_blob_is_given_up_and_fetched_from_somebody_honest()
    {
        var content = RandomNumberGenerator.GetBytes(100_000);
        var blob = new BlobId(SHA256.HashData(content));
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var endless = Holder(blob, content.Length, async (stream, stop) =>
        {
            try
            {
                while (true)
                    await stream.WriteAsync(BodyType.Binary, content, stop);
            }
            finally
            {
                cut.TrySetResult();
            }
        });
        await using var siege = await Siege.BeginAsync();
        var wanted = siege.Target.Box.CommandAsync("blobs", "want", blob.ToString());
        await siege.EndureAsync(async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(1));
            _ = guest.Speak(siege.Target, endless);
            await Siege.MustAsync(cut.Task, "the box has given up a blob that does not end");
            await Task.Delay(Timeout.Infinite, siege.Over);
        });
        await using var honest = await Guest.ConnectAsync(siege.Target, Target.Address(2));
        _ = honest.Speak(siege.Target, Holder(blob, content.Length, async (stream, stop) => await stream.WriteAsync(BodyType.Binary, content, stop)));
        await Siege.MustAsync(wanted, "the box has fetched the blob from somebody honest");
        await siege.VerifyAsync();
    }

    [Fact]
    public async Task Forks_replays_lies_and_clocks_that_are_years_off_harm_their_own_feed_only()
    {
        await using var siege = await Siege.BeginAsync();
        var (liar, forger, traveller) = (KeyPair.Generate(), KeyPair.Generate(), KeyPair.Generate());
        foreach (var one in new[] { liar, forger, traveller })
            _ = await siege.Target.Box.CommandAsync("follow", one.Id.ToString(), "--privately");
        var (past, future) = (Friend.Write(traveller, 20, -62_000_000_000_000), Friend.Write(liar, 300, 250_000_000_000_000));
        var (left, right) = (Friend.Write(forger, 30, 1), Friend.Write(forger, 30, 2));
        await siege.EndureAsync(
            Sending(siege, liar, EbtNote.MaxSequence, [.. future.Reverse(), .. future, .. Enumerable.Repeat(future[^1], 2000)]),
            Sending(siege, forger, 30, [.. left.Take(20), .. right, .. left]));
        await using var home = await SendAsync(siege, traveller, 20, past);
        await Eventually.BecomesTrueAsync(async () => await siege.Target.Box.SequenceAsync(traveller.Id.ToString()) == 20, "a feed with an odd clock is kept");
        Assert.InRange(await siege.Target.Box.SequenceAsync(forger.Id.ToString()), 0, 30);
        Assert.InRange(await siege.Target.Box.SequenceAsync(liar.Id.ToString()), 0, 300);
        await siege.VerifyAsync();
    }

    [Fact]
    public async Task Calls_without_end_are_answered_no_faster_than_they_are_read()
    {
        await using var siege = await Siege.BeginAsync();
        await siege.EndureAsync([.. Enumerable.Range(0, 2).Select<int, Func<Task>>(one => async () =>
        {
            await using var guest = await Guest.ConnectAsync(siege.Target, Target.Address(one));
            _ = guest.DrainAsync();
            var batch = Enumerable.Range(0, 50).Select(i => $$"""{"name":["{{(i % 2 == 0 ? "whoami" : "no.such.method")}}"],"args":["\ud800"]}""").ToList();
            for (var number = 1; !siege.Over.IsCancellationRequested; number++)
                await guest.WriteAsync(2, number, batch[number % batch.Count]);
        })]);
    }

    private static Func<Task> Sending(Siege siege, KeyPair author, int claimed, IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        siege.NotOverBefore(done.Task, $"{author.Id} has sent {messages.Count} messages");
        return async () =>
        {
            await using var guest = await SendAsync(siege, author, claimed, messages);
            done.SetResult();
            await Task.Delay(Timeout.Infinite, siege.Over);
        };
    }

    private static async Task<Guest> SendAsync(Siege siege, KeyPair author, int claimed, IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        var guest = await Guest.ConnectAsync(siege.Target, Target.Address(10), author);
        var stream = guest.Speak(siege.Target).Open("ebt.replicate", CallType.Duplex, """[{"version":3,"format":"classic"}]"""u8.ToArray());
        var asked = Asks(await stream.ReadAsync(Stop), author.Id);
        await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{author.Id}\":{EbtNote.Of(claimed, receive: true).Value}}}"), Stop);
        while (!asked)
            asked = Asks(await stream.ReadAsync(Stop), author.Id);
        foreach (var message in messages)
            await stream.WriteAsync(BodyType.Json, message, Stop);
        return guest;
    }

    /// <summary>Whether the box asks for a feed: what comes without is not even looked at.</summary>
    private static bool Asks(RpcBody? item, FeedId of)
    {
        var notes = new EbtNotesReader((item ?? throw new InvalidOperationException("The box asks for nothing.")).Bytes.Span);
        while (notes.Read(out var feed, out var note))
        {
            if (feed == of && note.Receive)
                return true;
        }

        return false;
    }

    private static RpcMethods Holder(BlobId blob, int size, Func<RpcStream, CancellationToken, Task> send)
    {
        var methods = new RpcMethods();
        methods.Source("blobs.createWants", RpcCallers.Peer, async (_, stream, stop) =>
        {
            await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{{\"{blob}\":{size}}}"), stop);
            await Task.Delay(Timeout.Infinite, stop);
        });
        methods.Source("blobs.get", RpcCallers.Peer, (_, stream, stop) => send(stream, stop));
        return methods;
    }
}
