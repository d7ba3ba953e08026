using System.Text;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

public class MuxRpcCallTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_async_call_is_answered()
    {
        var methods = new RpcMethods();
        methods.Async("sum.of", RpcCallers.Peer, (request, _) => new(RpcBody.Json((request.Arg(0).GetInt32() + request.Arg(1).GetInt32()).ToString())));
        methods.Sync("bytes", RpcCallers.Peer, async (_, stop) =>
        {
            await Task.Delay(1, stop);
            return RpcBody.Binary(new byte[] { 1, 2 });
        });
        await using var pair = new SessionPair(theirs: methods);

        Assert.Equal(5, (await pair.Us.CallAsync("sum.of", "[2,3]"u8.ToArray(), Stop)).ToJson().GetInt32());
        var answer = await pair.Us.CallAsync("bytes", NoArgs, Stop);
        Assert.Equal(BodyType.Binary, answer.Type);
        Assert.Equal([1, 2], answer.Bytes.ToArray());
    }

    [Fact]
    public async Task Many_calls_at_once_get_each_its_own_answer()
    {
        var methods = new RpcMethods();
        methods.Async("echo", RpcCallers.Peer, async (request, _) =>
        {
            await Task.Yield();
            return RpcBody.Json(request.Arg(0).GetRawText());
        });
        await using var pair = new SessionPair(theirs: methods);

        var calls = Enumerable.Range(0, 2000).Select(i => pair.Us.CallAsync("echo", Encoding.UTF8.GetBytes($"[{i}]"), Stop)).ToArray();
        var answers = await Task.WhenAll(calls);
        Assert.Equal(Enumerable.Range(0, 2000), answers.Select(a => a.ToJson().GetInt32()));
    }

    [Fact]
    public async Task A_source_gives_its_items_and_ends()
    {
        await using var pair = new SessionPair(theirs: Counting(3));
        var stream = pair.Us.Open("count", CallType.Source, NoArgs);

        Assert.Equal(["0", "1", "2"], await ReadAllAsync(stream));
        Assert.Null(await stream.ReadAsync(Stop));
        Assert.True(stream.Ended.IsCancellationRequested);
    }

    [Fact]
    public async Task A_source_that_is_aborted_stops_at_the_other_end()
    {
        var stopped = new TaskCompletionSource();
        var methods = new RpcMethods();
        methods.Source("forever", RpcCallers.Peer, async (_, stream, ended) =>
        {
            try
            {
                for (var i = 0; ; i++)
                {
                    await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), ended);
                    await Task.Delay(1, ended);
                }
            }
            finally
            {
                stopped.SetResult();
            }
        });
        await using var pair = new SessionPair(theirs: methods);
        var stream = pair.Us.Open("forever", CallType.Source, NoArgs);
        Assert.NotNull(await stream.ReadAsync(Stop));

        stream.Complete();
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), Stop);
        Assert.Null(await stream.ReadAsync(Stop));
        Assert.Empty(pair.Failures);
    }

    [Fact]
    public async Task A_sink_takes_items_and_its_end_tells_how_it_went()
    {
        var methods = new RpcMethods();
        methods.Sink("adds.up", RpcCallers.Peer, async (request, stream, stop) =>
        {
            var sum = 0;
            while (await stream.ReadAsync(stop) is { } item)
            {
                sum += item.ToJson().GetInt32();
            }

            if (sum != request.Arg(0).GetInt32())
            {
                throw new RpcException($"the sum is {sum}");
            }
        });
        await using var pair = new SessionPair(theirs: methods);

        foreach (var expected in (int[])[6, 7])
        {
            var stream = pair.Us.Open("adds.up", CallType.Sink, Encoding.UTF8.GetBytes($"[{expected}]"));
            for (var i = 1; i <= 3; i++)
            {
                await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{i}"), Stop);
            }

            stream.Complete();
            if (expected == 6)
            {
                Assert.Null(await stream.ReadAsync(Stop));
            }
            else
            {
                var e = await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(Stop));
                Assert.Equal("the sum is 6", e.Message);
            }
        }
    }

    [Fact]
    public async Task A_duplex_talks_both_ways_and_may_end_one_way_first()
    {
        var methods = new RpcMethods();
        methods.Duplex("echo", RpcCallers.Peer, async (_, stream, stop) =>
        {
            while (await stream.ReadAsync(stop) is { } item)
            {
                await stream.WriteAsync(item.Type, item.Bytes, stop);
            }

            await stream.WriteAsync(BodyType.Utf8, "that was all"u8.ToArray(), stop);
        });
        await using var pair = new SessionPair(theirs: methods);
        var stream = pair.Us.Open("echo", CallType.Duplex, NoArgs);
        await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), Stop);
        await stream.WriteAsync(BodyType.Binary, ReadOnlyMemory<byte>.Empty, Stop);
        await stream.WriteAsync(BodyType.Binary, "2"u8.ToArray(), Stop);
        stream.Complete();

        Assert.Equal(["1", "2", "that was all"], await ReadAllAsync(stream));
        await Assert.ThrowsAsync<RpcException>(async () => await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), Stop));
    }

    [Fact]
    public async Task What_a_method_refuses_is_told_and_what_breaks_it_is_not()
    {
        var methods = new RpcMethods();
        methods.Async("refuses", RpcCallers.Peer, (_, _) => throw new RpcException("not \"today\" ✓"));
        methods.Async("breaks", RpcCallers.Peer, (_, _) => throw new InvalidOperationException("secret /etc/path"));
        methods.Source("refuses.late", RpcCallers.Peer, async (_, stream, stop) =>
        {
            await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), stop);
            throw new RpcException("no more");
        });
        methods.Source("breaks.late", RpcCallers.Peer, (_, _, _) => throw new InvalidOperationException("secret /etc/path"));
        await using var pair = new SessionPair(ours: methods);

        Assert.Equal("not \"today\" ✓", (await Assert.ThrowsAsync<RpcException>(() => pair.Them.CallAsync("refuses", NoArgs, Stop))).Message);
        var broken = await Assert.ThrowsAsync<RpcException>(() => pair.Them.CallAsync("breaks", NoArgs, Stop));
        Assert.DoesNotContain("secret", broken.Message, StringComparison.Ordinal);

        var stream = pair.Them.Open("refuses.late", CallType.Source, NoArgs);
        Assert.NotNull(await stream.ReadAsync(Stop));
        Assert.Equal("no more", (await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(Stop))).Message);
        stream = pair.Them.Open("breaks.late", CallType.Source, NoArgs);
        broken = await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(Stop));
        Assert.DoesNotContain("secret", broken.Message, StringComparison.Ordinal);
        Assert.Equal(["breaks: secret /etc/path", "breaks.late: secret /etc/path"], pair.Failures);
    }

    [Fact]
    public async Task Rights_decide_and_a_stranger_cannot_tell_forbidden_from_unknown()
    {
        var methods = new RpcMethods();
        methods.Async("for.owner", RpcCallers.Owner, (_, _) => new(RpcBody.Json("true")));
        methods.Async("for.invite", RpcCallers.Invite, (_, _) => new(RpcBody.Json("true")));
        methods.Async("for.peer", RpcCallers.Peer, (_, _) => new(RpcBody.Json("true")));
        async Task<string> Allowed(RpcCallers caller, bool isOwner)
        {
            await using var pair = new SessionPair(ours: methods, caller: caller, isOwner: isOwner);
            var allowed = "";
            foreach (var name in (string[])["for.owner", "for.invite", "for.peer", "for.nobody"])
            {
                try
                {
                    _ = await pair.Them.CallAsync(name, NoArgs, Stop);
                    allowed += name[4];
                }
                catch (RpcException e) when (e.IsMissingMethod)
                {
                    Assert.Equal($"method:{name.Replace('.', ',')} is not in list of allowed methods", e.Message);
                }
            }

            return allowed;
        }

        Assert.Equal("p", await Allowed(RpcCallers.Peer, false));
        Assert.Equal("i", await Allowed(RpcCallers.Invite, false));
        Assert.Equal("oip", await Allowed(RpcCallers.Peer, true));
    }

    [Fact]
    public async Task A_missing_stream_refuses_the_first_read()
    {
        await using var pair = new SessionPair();
        var stream = pair.Us.Open("ebt.replicate", CallType.Duplex, NoArgs);
        var e = await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(Stop));
        Assert.Equal("method:ebt,replicate is not in list of allowed methods", e.Message);
        Assert.True(e.IsMissingMethod);
    }

    [Fact]
    public async Task The_end_of_the_connection_fails_what_is_open_and_cancels_its_tokens()
    {
        var methods = new RpcMethods();
        methods.Async("never", RpcCallers.Peer, async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return default;
        });
        methods.Duplex("open", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        await using var pair = new SessionPair(theirs: methods);
        var call = pair.Us.CallAsync("never", NoArgs, Stop);
        var stream = pair.Us.Open("open", CallType.Duplex, NoArgs);
        var read = stream.ReadAsync(Stop).AsTask();
        var ended = stream.Ended;

        await pair.Them.CloseAsync();

        Assert.StartsWith("connection lost", (await Assert.ThrowsAsync<RpcException>(() => call)).Message, StringComparison.Ordinal);
        Assert.StartsWith("connection lost", (await Assert.ThrowsAsync<RpcException>(() => read)).Message, StringComparison.Ordinal);
        Assert.StartsWith("connection lost", (await Assert.ThrowsAsync<RpcException>(async () => await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), Stop))).Message, StringComparison.Ordinal);
        Assert.StartsWith("connection lost", (await Assert.ThrowsAsync<RpcException>(() => pair.Us.CallAsync("never", NoArgs, Stop))).Message, StringComparison.Ordinal);
        var late = pair.Us.Open("open", CallType.Duplex, NoArgs);
        Assert.StartsWith("connection lost", (await Assert.ThrowsAsync<RpcException>(async () => await late.ReadAsync(Stop))).Message, StringComparison.Ordinal);
        await Cancelled(pair.Us.Closed);
        await Cancelled(ended);
        await Cancelled(pair.Them.Closed);
    }

    [Fact]
    public async Task A_wait_can_be_given_up()
    {
        var methods = new RpcMethods();
        methods.Duplex("open", RpcCallers.Peer, (_, _, stop) => Task.Delay(Timeout.Infinite, stop));
        methods.Async("never", RpcCallers.Peer, async (_, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return default;
        });
        await using var pair = new SessionPair(theirs: methods);
        using var impatience = new CancellationTokenSource(50);
        var stream = pair.Us.Open("open", CallType.Duplex, NoArgs);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.ReadAsync(impatience.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pair.Us.CallAsync("never", NoArgs, impatience.Token));
        stream.Complete();
    }

    [Fact]
    public void The_manifest_nests_what_the_table_offers()
    {
        var methods = new RpcMethods();
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => default);
        methods.Source("blobs.get", RpcCallers.Peer, (_, _, _) => Task.CompletedTask);
        methods.Sink("blobs.add", RpcCallers.Owner, (_, _, _) => Task.CompletedTask);
        methods.Duplex("ebt.replicate", RpcCallers.Peer, (_, _, _) => Task.CompletedTask);
        methods.Async("blobs.has", RpcCallers.Peer, (_, _) => default);
        Assert.Equal(
            """{"whoami":"sync","blobs":{"get":"source","add":"sink","has":"async"},"ebt":{"replicate":"duplex"}}""",
            Encoding.UTF8.GetString(RpcManifest.Write(methods)));

        methods.Async("blobs", RpcCallers.Owner, (_, _) => default);
        Assert.Throws<InvalidOperationException>(() => RpcManifest.Write(methods));
    }

    internal static RpcMethods Counting(int count)
    {
        var methods = new RpcMethods();
        methods.Source("count", RpcCallers.Peer, async (_, stream, stop) =>
        {
            for (var i = 0; i < count; i++)
            {
                await stream.WriteAsync(BodyType.Json, Encoding.UTF8.GetBytes($"{i}"), stop);
            }
        });
        return methods;
    }

    private static async Task<List<string>> ReadAllAsync(RpcStream stream)
    {
        var items = new List<string>();
        while (await stream.ReadAsync(Stop) is { } item)
        {
            items.Add(Encoding.UTF8.GetString(item.Bytes.Span));
        }

        return items;
    }

    private static async Task Cancelled(CancellationToken token) =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(TimeSpan.FromSeconds(30), token));
}
