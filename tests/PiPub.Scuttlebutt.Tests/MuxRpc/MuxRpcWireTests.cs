using System.Text;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

/// <summary>What stands on the wire, and what a peer that does as it likes gets for it.</summary>
public class MuxRpcWireTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Our_requests_are_numbered_and_written_as_JavaScript_writes_them()
    {
        await using var peer = new RawPeer();
        var call = peer.Session.CallAsync("blobs.has", "[\"&x\"]"u8.ToArray(), Stop);
        Assert.Equal("""Json 1 {"name":["blobs","has"],"args":["&x"]}""", await peer.ReceiveAsync());
        var stream = peer.Session.Open("blobs.createWants", CallType.Source, NoArgs);
        Assert.Equal("""Json stream 2 {"name":["blobs","createWants"],"args":[],"type":"source"}""", await peer.ReceiveAsync());

        await peer.SendAsync(BodyType.Json, false, false, -1, "true");
        Assert.True((await call).ToJson().GetBoolean());

        await peer.SendAsync(BodyType.Json, true, false, -2, "{}");
        Assert.Equal("{}", Encoding.UTF8.GetString((await stream.ReadAsync(Stop))!.Value.Bytes.Span));
        await peer.SendAsync(BodyType.Json, true, true, -2, "true");
        Assert.Equal("Json stream end 2 true", await peer.ReceiveAsync());
        Assert.Null(await stream.ReadAsync(Stop));

        var closing = peer.Session.CloseAsync();
        Assert.Equal("goodbye", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Binary, false, false, 0, []);
        await closing;
        Assert.Null(await peer.ReceiveAsync());
    }

    [Fact]
    public async Task Answers_errors_and_ends_stand_as_other_implementations_match_them()
    {
        var methods = MuxRpcCallTests.Counting(1);
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => new(RpcBody.Json("""{"id":"x"}""")));
        methods.Async("fails", RpcCallers.Peer, (_, _) => throw new RpcException("m"));
        await using var peer = new RawPeer(methods);

        await peer.SendAsync(BodyType.Json, false, false, 1, """{"name":["whoami"],"args":[],"type":"sync"}""");
        Assert.Equal("""Json -1 {"id":"x"}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 2, """{"name":"whoami","args":null}""");
        Assert.Equal("""Json -2 {"id":"x"}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 3, """{"name":["whoami"]}""");
        Assert.Equal("""Json -3 {"id":"x"}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 4, """{"name":["fails"],"args":[]}""");
        Assert.Equal("""Json end -4 {"message":"m","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 5, """{"name":["room","metadata"],"args":[]}""");
        Assert.Equal("""Json end -5 {"message":"method:room,metadata is not in list of allowed methods","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, true, false, 6, """{"name":["room","attendants"],"args":[],"type":"source"}""");
        Assert.Equal("""Json stream end -6 {"message":"method:room,attendants is not in list of allowed methods","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 7, """{"name":["whoami"],"args":{"a":1}}""");
        Assert.Equal("""Json end -7 {"message":"invalid request, args should be array, was: {\"a\":1}","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, false, false, 8, """{"name":["count"],"args":[]}""");
        Assert.Equal("""Json end -8 {"message":"no async:count","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, true, false, 9, """{"name":["count"],"args":[]}""");
        Assert.Equal("""Json stream end -9 {"message":"unsupported stream type: undefined","name":"Error","stack":""}""", await peer.ReceiveAsync());
        await peer.SendAsync(BodyType.Json, true, false, 10, """{"name":["count"],"args":[],"type":"source"}""");
        Assert.Equal("Json stream -10 0", await peer.ReceiveAsync());
        Assert.Equal("Json stream end -10 true", await peer.ReceiveAsync());
    }

    [Fact]
    public async Task Late_and_foreign_frames_are_ignored()
    {
        var methods = new RpcMethods();
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => new(RpcBody.Json("1")));
        await using var peer = new RawPeer(methods);
        await peer.SendAsync(BodyType.Json, true, false, -99, "{}");
        await peer.SendAsync(BodyType.Json, true, true, 99, "true");
        await peer.SendAsync(BodyType.Json, false, false, -99, "{}");
        await peer.SendAsync(BodyType.Json, false, true, -99, "{}");
        await peer.SendAsync(BodyType.Json, true, false, 99, "1732222222222");
        await peer.SendAsync(BodyType.Json, true, false, 99, """{"@x":4}""");
        await peer.SendAsync(BodyType.Binary, true, false, 99, "bytes");
        await peer.SendAsync(BodyType.Json, false, false, 0, """["event"]""");
        await peer.SendAsync(BodyType.Json, false, false, int.MinValue, "1");

        await peer.SendAsync(BodyType.Json, false, false, 1, """{"name":["whoami"],"args":[]}""");
        Assert.Equal("Json -1 1", await peer.ReceiveAsync());
    }

    [Theory]
    [InlineData("07000000010000000130", "no known type")]
    [InlineData("02004000010000000130", "4194305 bytes")]
    [InlineData("02ffffffff0000000130", "4294967295 bytes")]
    [InlineData("02000000020000000178787878", "not JSON")]
    public async Task A_peer_that_breaks_the_rules_loses_its_connection(string hex, string reason)
    {
        await using var peer = new RawPeer();
        var call = peer.Session.CallAsync("whoami", NoArgs, Stop);
        await peer.Output.WriteAsync(Convert.FromHexString(hex), Stop);

        var e = await Assert.ThrowsAsync<RpcProtocolException>(() => peer.Running);
        Assert.Contains(reason, e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RpcException>(() => call);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0200")]
    [InlineData("020000000a00000001")]
    [InlineData("000000000000000000")]
    public async Task A_peer_that_hangs_up_anywhere_ends_the_session_quietly(string hex)
    {
        await using var peer = new RawPeer();
        var call = peer.Session.CallAsync("whoami", NoArgs, Stop);
        await peer.Output.WriteAsync(Convert.FromHexString(hex), Stop);
        await peer.Output.CompleteAsync();
        await peer.Running;
        await Assert.ThrowsAsync<RpcException>(() => call);
    }

    [Fact]
    public async Task An_empty_frame_within_a_stream_is_passed_over()
    {
        // What JavaScript sends of a blob of 65,536 bytes: all of it, then an empty piece, then the end.
        await using var peer = new RawPeer();
        var stream = peer.Session.Open("blobs.get", CallType.Source, NoArgs);
        await peer.ReceiveAsync();
        await peer.SendAsync(BodyType.Binary, true, false, -1, new byte[65_536]);
        await peer.SendAsync(BodyType.Binary, true, false, -1, []);
        await peer.SendAsync(BodyType.Json, true, true, -1, "true");
        Assert.Equal(65_536, (await stream.ReadAsync(Stop))!.Value.Bytes.Length);
        Assert.Null(await stream.ReadAsync(Stop));

        await peer.SendAsync(BodyType.Json, true, false, 9, []);
        await peer.SendAsync(BodyType.Binary, false, false, -9, []);
        Assert.Equal("Json stream end 1 true", await peer.ReceiveAsync());
        Assert.False(peer.Session.Closed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_goodbye_is_answered_by_a_goodbye()
    {
        await using var peer = new RawPeer();
        await peer.SendAsync(BodyType.Binary, false, false, 0, []);
        Assert.Equal("goodbye", await peer.ReceiveAsync());
        Assert.Null(await peer.ReceiveAsync());
        await peer.Running;
    }

    [Fact]
    public async Task Random_bytes_end_a_session_and_never_hang_it()
    {
        var random = new Random(7);
        for (var run = 0; run < 200; run++)
        {
            await using var peer = new RawPeer(MuxRpcCallTests.Counting(2));
            var bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            if (run % 2 == 0 && bytes.Length > 9)
            {
                (bytes[1], bytes[2], bytes[3]) = (0, 0, 0);
            }

            await peer.Output.WriteAsync(bytes, Stop);
            await peer.Output.CompleteAsync();
            try
            {
                await peer.Running.WaitAsync(TimeSpan.FromSeconds(30), Stop);
            }
            catch (RpcProtocolException)
            {
                // The other right answer.
            }
        }
    }
}
