using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Text.Json;
using PiPub.Node.Replication;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Fuzz;

/// <summary>Frames of muxrpc: the same ones come out of the wire in one piece and in many, and what was read can be written again.</summary>
internal sealed class FrameTarget : FuzzTarget
{
    public override string Name => "muxrpc-frames";

    public override IEnumerable<byte[]> Seeds =>
    [
        [3, .. SessionTarget.Frame(2, 1, """{"name":["createHistoryStream"],"args":[{}]}"""), .. SessionTarget.Frame(0x0a, -1, "{}"), .. new byte[9]],
        [1, 8, 0, 0, 0, 3, 0, 0, 0, 1, 1, 2, 3, 0x0e, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, .. "true"u8],
        [0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1],
    ];

    // A frame's array is made at up to 64 KiB before its bytes are there.
    public override long AllowedBytes(int length) => (1 << 18) + (1L << 16) + (32L * length);

    public override void Run(ReadOnlySpan<byte> input)
    {
        var step = input.IsEmpty ? 0 : input[0];
        var wire = input.IsEmpty ? input : input[1..];
        var whole = new List<Frame>();
        var ended = Decode(Segment.Split(wire, int.MaxValue), whole);
        var pieces = new List<Frame>();
        var endedToo = Decode(Segment.Split(wire, step + 1), pieces);
        Require(ended == endedToo && whole.Count == pieces.Count, "the same frames, however the bytes come");
        var header = new byte[FrameHeader.Length];
        for (var i = 0; i < whole.Count; i++)
        {
            Require(whole[i].Header == pieces[i].Header, "the same headers");
            Require((whole[i].Body ?? []).AsSpan().SequenceEqual(pieces[i].Body ?? []), "the same bodies");
            whole[i].Header.Write(header);
            Require(FrameHeader.Read(header) == whole[i].Header, "a header that was read can be written");
        }
    }

    private static bool Decode(ReadOnlySequence<byte> buffer, List<Frame> frames)
    {
        var decoder = new FrameDecoder(MuxRpcLimits.Default);
        try
        {
            while (decoder.TryRead(ref buffer, out var frame))
            {
                frames.Add(frame);
            }

            return true;
        }
        catch (RpcProtocolException)
        {
            return false;
        }
    }
}

/// <summary>A whole session, with a method of each kind, that is told anything. It ends in order or by its one exception.</summary>
internal sealed class SessionTarget : FuzzTarget
{
    private static readonly RpcMethods Methods = MakeMethods();

    public override string Name => "muxrpc-session";

    public override IEnumerable<byte[]> Seeds =>
    [
        [.. Frame(2, 1, """{"name":["a"],"args":[1]}"""), .. Frame(2, 2, """{"name":["nothing","here"],"args":[],"type":"async"}"""), .. new byte[9]],
        [.. Frame(0x0a, 1, """{"name":["source"],"args":[],"type":"source"}"""), .. Frame(0x0e, 1, "true")],
        [.. Frame(0x0a, 1, """{"name":["duplex"],"args":[],"type":"duplex"}"""), .. Frame(0x0a, 1, "1"), .. Frame(0x08, 1, "x"), .. Frame(0x0e, 1, """{"message":"m","name":"Error","stack":""}""")],
        [.. Frame(0x0a, 1, """{"name":"sink","args":null,"type":"sink"}"""), .. Frame(0x09, 1, "text"), .. Frame(0x0e, 1, "true"), .. Frame(6, -1, "{}"), .. Frame(0x0a, -2, "{}")],
    ];

    public override IReadOnlyList<byte[]> Words => [.. Samples.Words("\"name\"", "\"args\"", "\"type\"", "\"source\"", "\"duplex\"", "\"sink\"", "true", "[]", "null", "\\ud800"), [0x0a], [0x0e], [6], [2]];

    public override int MaxInput => 2048;

    public static byte[] Frame(byte flags, int number, string body)
    {
        var bytes = Samples.Utf8(body);
        var frame = new byte[FrameHeader.Length + bytes.Length];
        var header = FrameHeader.Read([flags, 0, 0, 0, 0, 0, 0, 0, 0]);
        (header with { BodyLength = (uint)bytes.Length, Number = number }).Write(frame);
        bytes.CopyTo(frame, FrameHeader.Length);
        return frame;
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        var wire = new Wire(PipeReader.Create(new ReadOnlySequence<byte>(input.ToArray())));
        Exception? failure = null;
        var session = new MuxRpcSession(wire, Samples.Other.Id, Methods, RpcCallers.Peer, isOwner: false, MuxRpcLimits.Default, TimeProvider.System)
        {
            MethodFailed = (_, e) => failure = e,
        };
        try
        {
            session.RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (RpcProtocolException)
        {
            // The peer broke the rules and is told so.
        }

        Require(session.Fault is null, "nothing but the transport may be at fault: " + session.Fault);
        session.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Require(failure is null, "a method failed: " + failure);
    }

    private static RpcMethods MakeMethods()
    {
        var methods = new RpcMethods();
        methods.Async("a", RpcCallers.Peer, static (request, _) => new ValueTask<RpcBody>(new RpcBody(BodyType.Json, Samples.Utf8(request.Arg(0).ValueKind == JsonValueKind.Undefined ? "0" : "1"))));
        methods.Source("source", RpcCallers.Peer, static async (_, stream, stop) => await stream.WriteAsync(BodyType.Json, "1"u8.ToArray(), stop));
        methods.Sink("sink", RpcCallers.Peer, static async (_, stream, stop) => await DrainAsync(stream, stop));
        methods.Duplex("duplex", RpcCallers.Peer, static async (_, stream, stop) => await DrainAsync(stream, stop));
        return methods;
    }

    private static async Task DrainAsync(RpcStream stream, CancellationToken stop)
    {
        while (await stream.ReadAsync(stop) is not null)
        {
        }
    }

    private sealed class Wire(PipeReader input) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output { get; } = PipeWriter.Create(Stream.Null);
    }
}

/// <summary>Bodies of requests and of ends, and the arguments that peers may give.</summary>
internal sealed class RequestTarget : FuzzTarget
{
    public override string Name => "muxrpc-requests";

    public override IEnumerable<byte[]> Seeds => Samples.Words(
        """{"name":["createHistoryStream"],"args":[{"id":"@Gx0xUUz4wtd1BjrGvE0bdKgZDtULZrQWJKe8plOUS1k=.ed25519","seq":1,"limit":-1,"live":true,"old":false,"keys":false}],"type":"source"}""",
        """{"name":"blobs.get","args":["&WZnrpxZcHhGUxS0nXqGvqKkzDIJQ0M3q5ENBNBPZ3Rk=.sha256"],"type":"source"}""",
        """{"name":["ebt","replicate"],"args":[{"version":3,"format":"classic"}],"type":"duplex"}""",
        """{"message":"it went wrong","name":"Error","stack":"Error: it\n at"}""",
        "\"text\"",
        "true");

    public override IReadOnlyList<byte[]> Words => Samples.Words("\"name\"", "\"args\"", "\"type\"", "\"seq\"", "\"sequence\"", "\"message\"", "\\ud800", "\\u0061", "1e999", "null", "[", "{");

    public override void Run(ReadOnlySpan<byte> input)
    {
        var body = input.ToArray();
        CheckUnicode(input);
        for (var type = BodyType.Binary; type <= BodyType.Json; type++)
        {
            var error = RpcErrorText.DecodeError(type, body);
            Require(RpcErrorText.DecodeError(BodyType.Json, RpcErrorText.Encode(error.Message)).Message.Length <= error.Message.Length, "an error can be told on");
        }

        RequestBody request;
        try
        {
            if (!RequestBody.TryDecode(input, 128, out request))
            {
                return;
            }
        }
        catch (JsonException)
        {
            return;
        }

        Require(request.Method.Length is > 0 and <= 128, "a method has a short name");
        if (request.HasArgsArray)
        {
            try
            {
                _ = HistoryRequest.Read(new RpcRequest(request.Method, request.Args, null!, RpcCallers.Peer, IsOwner: false));
            }
            catch (RpcException)
            {
                // What the peer is told.
            }
            catch (InvalidOperationException) when (!UnicodeText.IsWhole(JsonMarshal.GetRawUtf8Value(request.Args)))
            {
                // The session answers so.
            }
        }
    }

    /// <summary>Held against reading a text: what is told to be whole can be read, and the other way round.</summary>
    private static void CheckUnicode(ReadOnlySpan<byte> input)
    {
        JsonElement json;
        try
        {
            json = JsonElement.Parse(input);
        }
        catch (JsonException)
        {
            return;
        }

        if (json.ValueKind != JsonValueKind.String)
        {
            return;
        }

        var isWhole = true;
        try
        {
            _ = json.GetString();
        }
        catch (InvalidOperationException)
        {
            isWhole = false;
        }

        Require(UnicodeText.IsWhole(JsonMarshal.GetRawUtf8Value(json)) == isWhole, "what is whole can be read");
    }
}
