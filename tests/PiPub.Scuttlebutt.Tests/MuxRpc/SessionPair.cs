using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

/// <summary>Two sessions back to back, or one with the test holding its other end byte by byte.</summary>
internal sealed class SessionPair : IAsyncDisposable
{
    private readonly Task _ran;

    public SessionPair(RpcMethods? ours = null, RpcMethods? theirs = null, MuxRpcLimits? limits = null, RpcCallers caller = RpcCallers.Peer, bool isOwner = false, StreamBudget? budget = null)
    {
        var (left, right) = PipePair.Make();
        Us = new MuxRpcSession(left, Id(2), ours ?? new RpcMethods(), caller, isOwner, limits ?? MuxRpcLimits.Default, TimeProvider.System) { Streams = budget, MethodFailed = (name, e) => Failures.Add($"{name}: {e.Message}") };
        Them = new MuxRpcSession(right, Id(1), theirs ?? new RpcMethods(), RpcCallers.Peer, isOwner: false, limits ?? MuxRpcLimits.Default, TimeProvider.System);
        _ran = Task.WhenAll(Us.RunAsync(CancellationToken.None), Them.RunAsync(CancellationToken.None));
    }

    public MuxRpcSession Us { get; }

    public MuxRpcSession Them { get; }

    public List<string> Failures { get; } = [];

    public static FeedId Id(byte value)
    {
        var bytes = new byte[32];
        bytes.AsSpan().Fill(value);
        return new FeedId(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        await Us.DisposeAsync();
        await Them.DisposeAsync();
        await _ran;
    }
}

/// <summary>A session whose peer is the test: raw frames in, raw frames out.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly IDuplexPipe _wire;
    private readonly FrameDecoder _decoder = new(MuxRpcLimits.Default);

    public RawPeer(RpcMethods? methods = null, MuxRpcLimits? limits = null, RpcCallers caller = RpcCallers.Peer, bool isOwner = false, PipeOptions? pipe = null)
    {
        (var left, _wire) = PipePair.Make(pipe);
        Session = new MuxRpcSession(left, SessionPair.Id(2), methods ?? new RpcMethods(), caller, isOwner, limits ?? MuxRpcLimits.Default, TimeProvider.System);
        Running = Session.RunAsync(CancellationToken.None);
    }

    public MuxRpcSession Session { get; }

    public Task Running { get; }

    public PipeWriter Output => _wire.Output;

    public Task SendAsync(BodyType type, bool stream, bool end, int number, string body) =>
        SendAsync(type, stream, end, number, Encoding.UTF8.GetBytes(body));

    public async Task SendAsync(BodyType type, bool stream, bool end, int number, byte[] body)
    {
        Append(type, stream, end, number, body);
        await _wire.Output.FlushAsync(TestContext.Current.CancellationToken);
    }

    public void Append(BodyType type, bool stream, bool end, int number, byte[] body)
    {
        new FrameHeader(type, stream, end, (uint)body.Length, number).Write(_wire.Output.GetSpan(FrameHeader.Length));
        _wire.Output.Advance(FrameHeader.Length);
        _wire.Output.Write(body);
    }

    /// <summary>The next frame as text: flags and number, then the body; null at the end of the bytes.</summary>
    public async Task<string?> ReceiveAsync()
    {
        while (true)
        {
            var result = await _wire.Input.ReadAsync(TestContext.Current.CancellationToken);
            var buffer = result.Buffer;
            var has = _decoder.TryRead(ref buffer, out var frame);
            _wire.Input.AdvanceTo(buffer.Start, has ? buffer.Start : buffer.End);
            if (has)
            {
                return frame.Body is null
                    ? "goodbye"
                    : $"{frame.Header.Type}{(frame.Header.IsStream ? " stream" : "")}{(frame.Header.IsEnd ? " end" : "")} {frame.Header.Number} {Encoding.UTF8.GetString(frame.Body)}";
            }

            if (result.IsCompleted)
            {
                return null;
            }
        }
    }

    /// <summary>Reads to the end of the bytes and counts the ends of streams.</summary>
    public async Task<int> CountEndsAsync()
    {
        for (var ends = 0; ;)
        {
            var result = await _wire.Input.ReadAsync(TestContext.Current.CancellationToken);
            var buffer = result.Buffer;
            while (_decoder.TryRead(ref buffer, out var frame))
            {
                ends += frame.Header is { IsStream: true, IsEnd: true } ? 1 : 0;
            }

            _wire.Input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return ends;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _wire.Output.CompleteAsync();
        await _wire.Input.CompleteAsync();
        await Session.DisposeAsync();
    }
}

/// <summary>Two ends of a byte stream in memory.</summary>
internal sealed class PipePair(PipeReader input, PipeWriter output) : IDuplexPipe
{
    public PipeReader Input => input;

    public PipeWriter Output => output;

    public static (IDuplexPipe Left, IDuplexPipe Right) Make(PipeOptions? options = null)
    {
        options ??= new PipeOptions(useSynchronizationContext: false);
        var there = new Pipe(options);
        var back = new Pipe(options);
        return (new PipePair(back.Reader, there.Writer), new PipePair(there.Reader, back.Writer));
    }
}
