using System.IO.Pipelines;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// A muxrpc connection over a byte stream that is already encrypted and whose other end is already known.
/// </summary>
/// <remarks>
/// Frames of nine bytes of header and a body; see <see cref="FrameHeader"/>. Each side numbers its own requests 1, 2, 3, ...;
/// frames that answer request N carry -N; the two directions are independent. Calls are answered as <see cref="RpcMethods"/>
/// and the caller's rights allow; an async call is one task, so is a stream, and nothing is a task per frame.
/// Output of all calls leaves through one buffer and one loop. Sources: packet-stream 2.0.6; packet-stream-codec 1.2.0;
/// muxrpc 8.0.0; pull-goodbye 0.0.2 (a goodbye is answered by a goodbye). Costs are bounded by <see cref="MuxRpcLimits"/>.
/// </remarks>
public sealed partial class MuxRpcSession : IRpcSession, IAsyncDisposable
{
    private readonly IDuplexPipe _transport;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _handlersDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private readonly Dictionary<int, MuxRpcStream> _streams = [];
    private readonly Dictionary<int, TaskCompletionSource<RpcBody>> _calls = [];
    private int _lastNumber;
    private volatile bool _isLost;
    private bool _hasRun;
    private volatile bool _stopsReading;

    /// <summary>Prepares a session; <see cref="RunAsync"/> brings it to life. It owns the transport from then on.</summary>
    /// <param name="transport">The plaintext byte stream, such as a box stream.</param>
    /// <param name="remote">The identity that the handshake proved.</param>
    /// <param name="methods">What this side offers.</param>
    /// <param name="caller">What the peer may call.</param>
    /// <param name="isOwner">True when the peer holds the box's own key: it may call everything.</param>
    /// <param name="limits">What the connection may cost.</param>
    /// <param name="time">The clock for the wait of an orderly close.</param>
    public MuxRpcSession(IDuplexPipe transport, FeedId remote, RpcMethods methods, RpcCallers caller, bool isOwner, MuxRpcLimits limits, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(limits);
        limits.Validate();
        _transport = transport;
        _methods = methods;
        _caller = caller;
        _time = time;
        _decoder = new FrameDecoder(limits);
        _requests = new InputPace(limits.RequestBurst, limits.RequestsPerSecond, time);
        IsOwner = isOwner;
        Remote = remote;
        Limits = limits;
        Output = new FrameOutput(transport.Output, limits);
        Closed = _closed.Token;
    }

    /// <inheritdoc/>
    public FeedId Remote { get; }

    /// <inheritdoc/>
    public CancellationToken Closed { get; }

    /// <summary>True when the peer holds the box's own key.</summary>
    public bool IsOwner { get; }

    /// <summary>Called with the method's name when it fails with anything but an <see cref="RpcException"/>; the peer learns nothing of it.</summary>
    public Action<string, Exception>? MethodFailed { get; init; }

    /// <summary>Streams that this connection shares with others; null when it is alone.</summary>
    public StreamBudget? Streams { get; init; }

    /// <summary>Bytes of frames received so far.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Bytes of frames sent so far.</summary>
    public long BytesSent => Output.Sent;

    /// <summary>Bytes of frames that are still to be sent.</summary>
    public int BytesWaiting => Output.Waiting;

    /// <summary>How the transport broke, when it did; null after an end in order.</summary>
    public Exception? Fault { get; private set; }

    /// <summary>Completes when <see cref="RunAsync"/> has let go of the transport.</summary>
    public Task Finished => _finished.Task;

    internal MuxRpcLimits Limits { get; }

    internal FrameOutput Output { get; }

    /// <summary>What every call gets that the end of the connection takes away.</summary>
    internal RpcException Lost { get; private set; } = new("connection lost: it was closed");

    /// <summary>
    /// Serves the connection until either side says goodbye, the transport ends, or the token asks for an orderly close.
    /// </summary>
    /// <exception cref="RpcProtocolException">The peer broke the rules; the connection was cut.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _hasRun, true))
        {
            throw new InvalidOperationException("A session runs once.");
        }

        var writing = WriteAsync();
        RpcProtocolException? offence = null;
        var reason = "it was closed";
        try
        {
            using var stop = cancellationToken.UnsafeRegister(static session => ((MuxRpcSession)session!).StopReading(), this);
            reason = await ReadFramesAsync();
        }
        catch (RpcProtocolException e)
        {
            (offence, reason) = (e, e.Message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The transport broke; whatever it throws, it is the end of this connection and of nothing else.
            Fault = e;
            reason = e.Message;
        }
        finally
        {
            await FinishAsync(writing, reason, isOrderly: offence is null);
        }

        if (offence is not null)
        {
            throw offence;
        }
    }

    /// <inheritdoc/>
    public async Task<RpcBody> CallAsync(string method, ReadOnlyMemory<byte> args, CancellationToken cancellationToken)
    {
        var request = RequestBody.Encode(method, CallType.Async, args.Span);
        await Output.WaitForRoomAsync(cancellationToken);
        Output.PassOn();
        var answer = new TaskCompletionSource<RpcBody>(TaskCreationOptions.RunContinuationsAsynchronously);
        int number;
        lock (_gate)
        {
            if (_isLost)
            {
                throw Lost;
            }

            number = NextNumber();
            _calls.Add(-number, answer);
        }

        _ = Output.TryAdd(BodyType.Json, isStream: false, isEnd: false, number, request.Span);
        try
        {
            return await answer.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = TakeCall(-number);
            throw;
        }
    }

    /// <inheritdoc/>
    public RpcStream Open(string method, CallType type, ReadOnlyMemory<byte> args)
    {
        if (type == CallType.Async)
        {
            throw new ArgumentException("An async call is no stream.", nameof(type));
        }

        var request = RequestBody.Encode(method, type, args.Span);
        MuxRpcStream stream;
        bool isLost;
        lock (_gate)
        {
            isLost = _isLost;
            stream = new MuxRpcStream(this, -NextNumber(), type);
            if (!isLost)
            {
                _streams.Add(stream.ReceivedNumber, stream);
            }
        }

        if (isLost)
        {
            stream.Finish(Lost);
        }

        _ = Output.TryAdd(BodyType.Json, isStream: true, isEnd: false, -stream.ReceivedNumber, request.Span);
        return stream;
    }

    /// <inheritdoc/>
    public async Task CloseAsync()
    {
        Output.Close();
        lock (_gate)
        {
            if (!_hasRun)
            {
                _hasRun = true;
                _finished.TrySetResult();
                Output.Cut();
            }
        }

        try
        {
            await _finished.Task.WaitAsync(Limits.CloseTimeout, _time);
        }
        catch (TimeoutException)
        {
            Cut();
            await _finished.Task;
        }
    }

    /// <summary>Ends the connection now, without a goodbye.</summary>
    public void Cut()
    {
        Output.Cut();
        StopReading();
    }

    /// <summary>Closes, and waits a little for the handlers of the peer's calls to return.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (Volatile.Read(ref _handlers) > 0)
        {
            // A handler that does not heed its token is not waited for any longer.
            await _handlersDone.Task.WaitAsync(Limits.CloseTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Cancel(_closed);
        _closed.Dispose();
    }

    /// <summary>Cancels on the thread pool, so that no reaction to it delays the caller.</summary>
    internal static void CancelLater(CancellationTokenSource source) =>
        ThreadPool.UnsafeQueueUserWorkItem(static source => Cancel(source), source, preferLocal: false);

    /// <summary>Removes a stream of which nothing more is expected.</summary>
    internal void Forget(MuxRpcStream stream)
    {
        lock (_gate)
        {
            if (_streams.Remove(stream.ReceivedNumber) && stream.ReceivedNumber > 0)
            {
                _incomingStreams--;
                if (stream.IsFromBudget)
                {
                    Streams!.Return();
                }
            }
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException)
        {
            // A reaction failed; it belongs to whoever registered it, and the others have run.
        }
        catch (ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }

    private int NextNumber() => checked(++_lastNumber);

    private TaskCompletionSource<RpcBody>? TakeCall(int receivedNumber)
    {
        lock (_gate)
        {
            return _calls.Remove(receivedNumber, out var call) ? call : null;
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await Output.RunAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The transport broke; reading will say why, or ends here.
            StopReading();
        }
    }

    private void StopReading()
    {
        _stopsReading = true;
        _resume.Set();
        _transport.Input.CancelPendingRead();
    }

    private async Task FinishAsync(Task writing, string reason, bool isOrderly)
    {
        MuxRpcStream[] streams;
        TaskCompletionSource<RpcBody>[] calls;
        lock (_gate)
        {
            _isLost = true;
            Lost = new RpcException("connection lost: " + reason);
            streams = [.. _streams.Values];
            calls = [.. _calls.Values];
            _calls.Clear();
        }

        foreach (var stream in streams)
        {
            stream.Finish(Lost);
        }

        foreach (var call in calls)
        {
            call.TrySetException(Lost);
        }

        CancelLater(_closed);
        if (isOrderly)
        {
            Output.Close();
        }
        else
        {
            Output.Cut();
        }

        try
        {
            await writing.WaitAsync(Limits.CloseTimeout, _time);
        }
        catch (TimeoutException)
        {
            Output.Cut();
            await writing;
        }

        await LetGoAsync();
        _finished.TrySetResult();
    }

    private async Task LetGoAsync()
    {
        try
        {
            await _transport.Output.CompleteAsync();
            await _transport.Input.CompleteAsync();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A broken transport cannot be broken further.
        }
    }
}
