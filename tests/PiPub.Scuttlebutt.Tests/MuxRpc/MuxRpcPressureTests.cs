using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

/// <summary>Memory stays bounded, whoever stops reading and whatever is asked for.</summary>
public class MuxRpcPressureTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_reader_that_never_reads_holds_the_writer()
    {
        var written = 0;
        var methods = new RpcMethods();
        methods.Source("forever", RpcCallers.Peer, async (_, stream, stop) =>
        {
            var kilobyte = new byte[1024];
            while (true)
            {
                await stream.WriteAsync(BodyType.Binary, kilobyte, stop);
                Interlocked.Increment(ref written);
            }
        });
        await using var pair = new SessionPair(theirs: methods);
        var stream = pair.Us.Open("forever", CallType.Source, NoArgs);

        // What fits: the reader's queue, the pipe between, the writer's output and a flush under way.
        var settled = await SettledAsync(256, () => Volatile.Read(ref written));
        Assert.InRange(settled, 256, 512 + 256 + 64 + 64 + 64);

        for (var i = 0; i < 1000; i++)
        {
            Assert.NotNull(await stream.ReadAsync(Stop));
        }

        Assert.InRange(await SettledAsync(settled + 500, () => Volatile.Read(ref written)), settled + 500, settled + 1500);
        stream.Complete();
    }

    [Fact]
    public async Task An_unread_stream_that_is_given_up_lets_the_others_go_on()
    {
        var methods = new RpcMethods();
        methods.Source("forever", RpcCallers.Peer, async (_, stream, stop) =>
        {
            var kilobyte = new byte[1024];
            while (true)
            {
                await stream.WriteAsync(BodyType.Binary, kilobyte, stop);
            }
        });
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => new(RpcBody.Json("1")));
        await using var pair = new SessionPair(theirs: methods);
        for (var i = 0; i < 5; i++)
        {
            var stream = pair.Us.Open("forever", CallType.Source, NoArgs);
            _ = await stream.ReadAsync(Stop);
            await Task.Delay(20, Stop);
            stream.Complete();
        }

        Assert.Equal(1, (await pair.Us.CallAsync("whoami", NoArgs, Stop)).ToJson().GetInt32());
    }

    [Fact]
    public async Task A_duplex_ended_here_and_no_longer_read_does_not_stop_the_connection()
    {
        var methods = new RpcMethods();
        methods.Duplex("forever", RpcCallers.Peer, async (_, stream, stop) =>
        {
            var kilobyte = new byte[1024];
            for (var i = 0; i < 4000; i++)
            {
                await stream.WriteAsync(BodyType.Binary, kilobyte, stop);
            }
        });
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => new(RpcBody.Json("1")));
        await using var pair = new SessionPair(theirs: methods);
        pair.Us.Open("forever", CallType.Duplex, NoArgs).Complete();
        Assert.Equal(1, (await pair.Us.CallAsync("whoami", NoArgs, Stop)).ToJson().GetInt32());
    }

    [Fact]
    public async Task Many_streams_cannot_hold_more_than_the_connection_may()
    {
        var methods = new RpcMethods();
        methods.Sink("takes.nothing", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var peer = new RawPeer(methods);
        var sent = 0;
        var sending = Task.Run(
            async () =>
            {
                var block = new byte[10_000];
                for (var number = 1; number < 1000; number++)
                {
                    await peer.SendAsync(BodyType.Json, true, false, number, """{"name":["takes","nothing"],"args":[],"type":"sink"}""");
                    await peer.SendAsync(BodyType.Binary, true, false, number, block);
                    Interlocked.Add(ref sent, block.Length);
                }
            },
            Stop);

        Assert.InRange(await SettledAsync(500_000, () => Volatile.Read(ref sent)), 500_000, 1_300_000);
        peer.Session.Cut();
        await peer.Running;
        await peer.Output.CompleteAsync();
        await Task.WhenAny(sending, Task.Delay(1000, Stop));
    }

    [Fact]
    public async Task Streams_beyond_the_limit_are_refused_and_ended_ones_make_room()
    {
        var methods = MuxRpcCallTests.Counting(1);
        methods.Source("silent", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var pair = new SessionPair(theirs: methods, limits: MuxRpcLimits.Default with { MaxStreams = 16 });
        var streams = Enumerable.Range(0, 16).Select(_ => pair.Us.Open("silent", CallType.Source, NoArgs)).ToList();
        var refused = pair.Us.Open("count", CallType.Source, NoArgs);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await refused.ReadAsync(Stop));
        Assert.Contains("too many streams", e.Message, StringComparison.Ordinal);

        streams[3].Complete();
        var served = pair.Us.Open("count", CallType.Source, NoArgs);
        Assert.NotNull(await served.ReadAsync(Stop));
    }

    [Fact]
    public async Task Connections_share_what_goes_beyond_a_few_streams_each()
    {
        var methods = new RpcMethods();
        methods.Source("silent", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        var budget = new StreamBudget(10);
        await using var first = new SessionPair(ours: methods, budget: budget);
        await using var second = new SessionPair(ours: methods, budget: budget);
        var streams = Enumerable.Range(0, StreamBudget.FreeForEach + 10).Select(_ => first.Them.Open("silent", CallType.Source, NoArgs)).ToList();
        var refused = first.Them.Open("silent", CallType.Source, NoArgs);
        await Assert.ThrowsAsync<RpcException>(async () => await refused.ReadAsync(Stop));
        for (var i = 0; i < StreamBudget.FreeForEach; i++)
        {
            _ = second.Them.Open("silent", CallType.Source, NoArgs);
        }

        refused = second.Them.Open("silent", CallType.Source, NoArgs);
        await Assert.ThrowsAsync<RpcException>(async () => await refused.ReadAsync(Stop));

        await first.DisposeAsync();
        var served = second.Them.Open("silent", CallType.Source, NoArgs);
        using var soon = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await served.ReadAsync(soon.Token));
        Assert.All(streams, stream => Assert.True(stream.Ended.IsCancellationRequested));
    }

    [Fact]
    public async Task Many_writers_that_wait_all_have_their_turn_and_some_give_up()
    {
        var methods = new RpcMethods();
        methods.Source("kilobytes", RpcCallers.Peer, async (request, stream, stop) =>
        {
            var kilobyte = new byte[1024];
            for (var i = 0; i < 20; i++)
            {
                await stream.WriteAsync(BodyType.Binary, kilobyte, stop);
            }
        });
        await using var pair = new SessionPair(theirs: methods);
        var streams = Enumerable.Range(0, 500).Select(_ => pair.Us.Open("kilobytes", CallType.Source, NoArgs)).ToList();
        await Task.Delay(50, Stop);
        for (var i = 0; i < 500; i += 7)
        {
            streams[i].Complete();
        }

        var counts = await Task.WhenAll(streams.Select(async stream =>
        {
            var count = 0;
            while (await stream.ReadAsync(Stop) is not null)
            {
                count++;
            }

            return count;
        }));
        Assert.All(counts.Where((_, i) => i % 7 != 0), count => Assert.Equal(20, count));
    }

    [Fact]
    public async Task A_million_streams_of_a_hostile_peer_cost_little()
    {
        var methods = new RpcMethods();
        methods.Source("silent", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var peer = new RawPeer(methods, new MuxRpcLimits { RequestBurst = int.MaxValue });
        var answers = peer.CountEndsAsync();
        var known = """{"name":["silent"],"args":[],"type":"source"}"""u8.ToArray();
        var unknown = """{"name":["no"],"args":[],"type":"source"}"""u8.ToArray();
        for (var number = 1; number <= 1_000_000; number++)
        {
            // One in fifty asks for something that exists and stays open.
            peer.Append(BodyType.Json, true, false, number, number % 50 == 0 ? known : unknown);
            if (number % 500 == 0)
            {
                await peer.Output.FlushAsync(Stop);
            }
        }

        await peer.Output.CompleteAsync();
        await peer.Running;
        Assert.Equal(1_000_000 - 16_384, await answers);
    }

    [Fact]
    public async Task Requests_beyond_the_first_many_are_taken_slowly()
    {
        var served = 0;
        var methods = new RpcMethods();
        methods.Async("count", RpcCallers.Peer, (_, _) =>
        {
            _ = Interlocked.Increment(ref served);
            return new(new RpcBody(BodyType.Json, "1"u8.ToArray()));
        });
        await using var pair = new SessionPair(ours: methods, limits: new MuxRpcLimits { RequestBurst = 100, RequestsPerSecond = 1 });
        var calls = Enumerable.Range(0, 200).Select(_ => pair.Them.CallAsync("count", "[]"u8.ToArray(), Stop)).ToList();
        await Task.WhenAll(calls.Take(100));
        _ = await calls[100].WaitAsync(Stop);
        Assert.InRange(Volatile.Read(ref served), 101, 190);
        await pair.Us.CloseAsync();
        _ = await Task.WhenAny(Task.WhenAll(calls));
    }

    [Fact]
    public async Task A_peer_that_asks_and_never_reads_is_not_served_without_end()
    {
        var served = 0;
        var methods = new RpcMethods();
        methods.Async("big", RpcCallers.Peer, (_, _) =>
        {
            Interlocked.Increment(ref served);
            return new(RpcBody.Binary(new byte[10_000]));
        });
        await using var peer = new RawPeer(methods);
        var sending = Task.Run(
            async () =>
            {
                for (var number = 1; number <= 20_000; number++)
                {
                    await peer.SendAsync(BodyType.Json, false, false, number, """{"name":["big"],"args":[]}""");
                }
            },
            Stop);

        Assert.InRange(await SettledAsync(100, () => Volatile.Read(ref served)), 100, 300);
        peer.Session.Cut();
        await peer.Running;
        await peer.Output.CompleteAsync();
        await Task.WhenAny(sending, Task.Delay(1000, Stop));
    }

    [Fact]
    public async Task Closing_does_not_wait_for_a_peer_that_never_reads()
    {
        var written = 0;
        var methods = new RpcMethods();
        methods.Source("forever", RpcCallers.Peer, async (_, stream, stop) =>
        {
            while (true)
            {
                await stream.WriteAsync(BodyType.Binary, new byte[1024], stop);
                Interlocked.Increment(ref written);
            }
        });
        await using var peer = new RawPeer(methods, MuxRpcLimits.Default with { CloseTimeout = TimeSpan.FromMilliseconds(100) });
        await peer.SendAsync(BodyType.Json, true, false, 1, """{"name":["forever"],"args":[],"type":"source"}""");
        await SettledAsync(100, () => Volatile.Read(ref written));
        await peer.Session.CloseAsync().WaitAsync(TimeSpan.FromSeconds(30), Stop);
        await peer.Running;
    }

    /// <summary>Waits until a number has come to at least so much and stopped growing.</summary>
    private static async Task<int> SettledAsync(int atLeast, Func<int> number)
    {
        for (int last = -1, same = 0, waited = 0; ; waited++)
        {
            await Task.Delay(50, Stop);
            var now = number();
            same = now == last ? same + 1 : 0;
            last = now;
            if ((same >= 6 && now >= atLeast) || waited > 1200)
            {
                return now;
            }
        }
    }
}
