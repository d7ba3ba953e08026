using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <content>The reading half: frames to the streams and calls that they belong to, and new calls to their methods.</content>
public sealed partial class MuxRpcSession
{
    private const string InternalError = "the box could not answer this call because of an error of its own; its log says more";

    private readonly RpcMethods _methods;
    private readonly RpcCallers _caller;
    private readonly FrameDecoder _decoder;
    private readonly WakeSignal _resume = new();
    private readonly InputPace _requests;
    private int _held;
    private int _isPaused;
    private int _incomingStreams;
    private int _pendingCalls;
    private int _handlers;

    /// <summary>Takes a share of the memory for items that wait to be read; false when there is none left.</summary>
    internal bool TryHold(int bytes)
    {
        if (Volatile.Read(ref _held) >= Limits.SessionQueueBytes)
        {
            return false;
        }

        _ = Interlocked.Add(ref _held, bytes);
        return true;
    }

    /// <summary>Gives it back.</summary>
    internal void Release(int bytes, bool mayResume)
    {
        if (bytes > 0)
        {
            _ = Interlocked.Add(ref _held, -bytes);
        }

        if (mayResume)
        {
            Resume();
        }
    }

    /// <summary>Lets the connection be read again if it waits for room.</summary>
    internal void Resume()
    {
        if (Volatile.Read(ref _isPaused) != 0)
        {
            _resume.Set();
        }
    }

    private static RpcException Refusal(in RequestBody request, RpcMethod? method, bool isStream)
    {
        if (method is null)
        {
            return RpcException.MissingMethod(request.Method);
        }

        if (!request.HasArgsArray)
        {
            return new RpcException("invalid request, args should be array, was: " + Shorten(Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(request.Args))));
        }

        var type = isStream ? request.Type : "async";
        return type is "source" or "sink" or "duplex" or "async"
            ? new RpcException($"no {type}:{request.Method.Replace('.', ',')}")
            : new RpcException($"unsupported stream type: {(type is null ? "undefined" : Shorten(type))}");
    }

    private static string Shorten(string text) => text.Length > 200 ? text[..200] : text;

    /// <summary>Reads until the end and returns its reason in words.</summary>
    private async Task<string> ReadFramesAsync()
    {
        var input = _transport.Input;
        while (true)
        {
            var result = await input.ReadAsync();
            if (_stopsReading)
            {
                return "it was closed";
            }

            var buffer = result.Buffer;
            var length = buffer.Length;
            while (_decoder.TryRead(ref buffer, out var frame))
            {
                if (frame.Body is null)
                {
                    input.AdvanceTo(buffer.Start);
                    return "the peer said goodbye";
                }

                var taken = TakeAsync(frame.Header, frame.Body);
                if (!taken.IsCompletedSuccessfully)
                {
                    await taken;
                    if (_stopsReading)
                    {
                        return "it was closed";
                    }
                }
            }

            BytesReceived += length - buffer.Length;
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return _decoder.IsBetweenFrames && buffer.IsEmpty ? "the peer hung up" : "the peer hung up in the middle of a frame";
            }
        }
    }

    private ValueTask TakeAsync(in FrameHeader header, byte[] body)
    {
        if (header.Number == 0)
        {
            // muxrpc's events of long ago; JavaScript ignores them too.
            return default;
        }

        if (header.IsStream || header.Number < 0)
        {
            MuxRpcStream? stream;
            lock (_gate)
            {
                _ = _streams.TryGetValue(header.Number, out stream);
            }

            if (stream is not null)
            {
                return TakeForStreamAsync(stream, header, body);
            }
        }

        if (header.Number < 0)
        {
            TakeAnswer(header, body);
            return default;
        }

        // An end without a stream is the second half of an end that we have forgotten.
        return header.IsEnd ? default : TakeRequestAsync(header, body);
    }

    private ValueTask TakeForStreamAsync(MuxRpcStream stream, in FrameHeader header, byte[] body)
    {
        if (header.IsEnd)
        {
            stream.ReceiveEnd(header.IsStream ? RpcErrorText.DecodeEnd(header.Type, body) : RpcErrorText.DecodeError(header.Type, body));
            return default;
        }

        if (body.Length == 0)
        {
            return default;
        }

        var item = new RpcBody(header.Type, body);
        return stream.TryReceive(item) ? default : WaitForReaderAsync(stream, item);
    }

    private async ValueTask WaitForReaderAsync(MuxRpcStream stream, RpcBody item)
    {
        _ = Interlocked.Exchange(ref _isPaused, 1);
        while (!stream.TryReceive(item) && !_stopsReading)
        {
            await _resume.WaitAsync();
        }

        Volatile.Write(ref _isPaused, 0);
    }

    private void TakeAnswer(in FrameHeader header, byte[] body)
    {
        if (TakeCall(header.Number) is not { } call)
        {
            return;
        }

        if (header.IsEnd)
        {
            call.TrySetException(RpcErrorText.DecodeError(header.Type, body));
        }
        else
        {
            call.TrySetResult(new RpcBody(header.Type, body));
        }
    }

    private ValueTask TakeRequestAsync(in FrameHeader header, byte[] body)
    {
        if (header.IsStream && (header.Type != BodyType.Json || body is not [(byte)'{', ..]))
        {
            return default;
        }

        RequestBody request;
        try
        {
            if (!RequestBody.TryDecode(body, Limits.MaxMethodName, out request))
            {
                if (!header.IsStream)
                {
                    Refuse(header, new RpcException("invalid request, it should be an object with a name and args"));
                }

                return default;
            }
        }
        catch (JsonException e)
        {
            throw new RpcProtocolException("the peer sent a request that is not JSON", e);
        }

        var turn = IsOwner ? default : _requests.TakeAsync(1, CancellationToken.None);
        return turn.IsCompletedSuccessfully && Output.Waiting < Limits.OutputCeiling ? Begin(header, request) : WaitAndBeginAsync(turn, header, request);
    }

    private async ValueTask WaitAndBeginAsync(ValueTask turn, FrameHeader header, RequestBody request)
    {
        await turn;
        while (Output.Waiting >= Limits.OutputCeiling && !Output.IsClosed)
        {
            await Output.WaitForRoomAsync(CancellationToken.None);
            Output.PassOn();
        }

        await Begin(header, request);
    }

    private ValueTask Begin(in FrameHeader header, in RequestBody request)
    {
        var method = _methods.Find(request.Method, _caller, IsOwner);
        var isStream = header.IsStream;
        if (method is null
            || !request.HasArgsArray
            || isStream == (method.Type == CallType.Async)
            || (isStream && request.Type != RequestBody.NameOf(method.Type)))
        {
            Refuse(header, Refusal(request, method, isStream));
            return default;
        }

        var arrived = new RpcRequest(request.Method, request.Args, this, _caller, IsOwner);
        if (isStream)
        {
            BeginStream(header, method, arrived);
        }
        else
        {
            BeginCall(header, method, arrived);
        }

        return default;
    }

    private void BeginCall(in FrameHeader header, RpcMethod method, RpcRequest request)
    {
        if (Volatile.Read(ref _pendingCalls) >= Limits.MaxPendingCalls)
        {
            Refuse(header, new RpcException($"{Limits.MaxPendingCalls} calls are at work on this connection already; wait for an answer first"));
            return;
        }

        _ = AnswerAsync(header.Number, method, request);
    }

    private void BeginStream(in FrameHeader header, RpcMethod method, RpcRequest request)
    {
        var stream = new MuxRpcStream(this, header.Number, method.Type);
        lock (_gate)
        {
            if (_isLost)
            {
                return;
            }

            var isFree = Streams is null || _incomingStreams < StreamBudget.FreeForEach;
            if (_incomingStreams < Limits.MaxStreams && (isFree || Streams!.TryTake()))
            {
                stream.IsFromBudget = !isFree;
                _incomingStreams++;
                _streams.Add(header.Number, stream);
            }
            else
            {
                stream = null;
            }
        }

        if (stream is null)
        {
            Refuse(header, new RpcException("too many streams are open already; end one first"));
            return;
        }

        _ = Interlocked.Increment(ref _handlers);
        _ = Task.Run(() => ServeAsync(method, request, stream));
    }

    private void Refuse(in FrameHeader header, RpcException error) =>
        _ = Output.TryAdd(BodyType.Json, header.IsStream, isEnd: true, -header.Number, RpcErrorText.Encode(error.Message));

    private async Task AnswerAsync(int number, RpcMethod method, RpcRequest request)
    {
        _ = Interlocked.Increment(ref _pendingCalls);
        _ = Interlocked.Increment(ref _handlers);
        try
        {
            var body = await method.Answer!(request, Closed);
            var (type, bytes) = body.Bytes.IsEmpty ? (BodyType.Json, "null"u8.ToArray()) : (body.Type, body.Bytes);
            _ = await Output.AddAsync(Limits.OutputCeiling, type, isStream: false, -number, bytes, CancellationToken.None);
        }
        catch (Exception e)
        {
            if (Explain(method, request, e) is { } error)
            {
                _ = Output.TryAdd(BodyType.Json, isStream: false, isEnd: true, -number, RpcErrorText.Encode(error.Message));
            }
        }
        finally
        {
            HandlerDone();
            _ = Interlocked.Decrement(ref _pendingCalls);
        }
    }

    private async Task ServeAsync(RpcMethod method, RpcRequest request, MuxRpcStream stream)
    {
        var ended = stream.Ended;
        try
        {
            await method.Serve!(request, stream, ended);
            stream.Complete();
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            stream.Complete();
        }
        catch (Exception e)
        {
            stream.Complete(Explain(method, request, e));
        }
        finally
        {
            stream.Abandon();
            HandlerDone();
        }
    }

    private void HandlerDone()
    {
        if (Interlocked.Decrement(ref _handlers) == 0 && _isLost)
        {
            _ = _handlersDone.TrySetResult();
        }
    }

    /// <summary>What the peer is told of a failure; null when there is nobody left to tell.</summary>
    private RpcException? Explain(RpcMethod method, RpcRequest request, Exception failure)
    {
        switch (failure)
        {
            case RpcException refusal:
                return refusal;
            case OperationCanceledException when Closed.IsCancellationRequested:
                return null;
            case InvalidOperationException when !UnicodeText.IsWhole(JsonMarshal.GetRawUtf8Value(request.Args)):
                // So a method need not guard every text that it reads.
                return new RpcException("the arguments hold text that is not Unicode");
            default:
                MethodFailed?.Invoke(method.Name, failure);
                return new RpcException(InternalError);
        }
    }
}
