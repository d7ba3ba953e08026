namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// A stream of a <see cref="MuxRpcSession"/>, the peer's or our own.
/// </summary>
/// <remarks>
/// Each side ends with one end frame. JavaScript answers the end of a source or sink at once and that of a duplex not
/// always, so a stream is given up here as soon as nothing more is expected of it; frames that still come for it are ignored.
/// Sources: packet-stream 2.0.6 substream.js; muxrpc 8.0.0 pull-weird.js.
/// </remarks>
internal sealed class MuxRpcStream : RpcStream
{
    /// <summary>Counted for every waiting item beside its bytes.</summary>
    public const int ItemOverhead = 64;

    private readonly MuxRpcSession _session;
    private readonly Lock _gate = new();
    private readonly bool _isIncoming;
    private readonly CallType _type;
    private ItemQueue _queue;
    private int _queuedBytes;
    private WakeSignal? _arrived;
    private CancellationTokenSource? _ended;
    private RpcException? _error;
    private bool _remoteEnded;
    private volatile bool _localEnded;
    private volatile bool _isOver;

    public MuxRpcStream(MuxRpcSession session, int receivedNumber, CallType type)
    {
        _session = session;
        _type = type;
        _isIncoming = receivedNumber > 0;
        ReceivedNumber = receivedNumber;
    }

    /// <summary>The number that the peer's frames carry: positive for its own requests.</summary>
    public int ReceivedNumber { get; }

    /// <summary>True when it holds a share of <see cref="StreamBudget"/>.</summary>
    public bool IsFromBudget { get; set; }

    /// <inheritdoc/>
    public override CancellationToken Ended
    {
        get
        {
            lock (_gate)
            {
                if (_isOver)
                {
                    return new CancellationToken(canceled: true);
                }

                _ended ??= new CancellationTokenSource();
                return _ended.Token;
            }
        }
    }

    private bool Reads => _type == CallType.Duplex || (_type == CallType.Sink) == _isIncoming;

    private bool Writes => _type == CallType.Duplex || (_type == CallType.Source) == _isIncoming;

    /// <inheritdoc/>
    public override bool TryRead(out RpcBody body)
    {
        lock (_gate)
        {
            return TryTake(out body);
        }
    }

    /// <inheritdoc/>
    public override ValueTask<RpcBody?> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (TryTake(out var body))
            {
                return new ValueTask<RpcBody?>(body);
            }

            if (NothingMoreComes())
            {
                return _error is null ? default : ValueTask.FromException<RpcBody?>(new RpcException(_error.Message, _error));
            }

            _arrived ??= new WakeSignal();
        }

        return WaitAndReadAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override ValueTask WriteAsync(BodyType type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (!Writes)
        {
            throw new InvalidOperationException("This side of the stream only reads.");
        }

        if (_localEnded || _isOver)
        {
            return ValueTask.FromException(EndedForWriting());
        }

        if (body.IsEmpty)
        {
            return default;
        }

        return _session.Output.TryAddBelow(_session.Limits.OutputHighWater, type, isStream: true, -ReceivedNumber, body.Span) is true
            ? default
            : WaitAndWriteAsync(type, body, cancellationToken);
    }

    /// <inheritdoc/>
    public override void Complete(RpcException? error = null)
    {
        bool isOver;
        lock (_gate)
        {
            if (_localEnded || _isOver)
            {
                return;
            }

            _localEnded = true;
            isOver = error is not null || _remoteEnded || (_type == CallType.Sink && _isIncoming);
            SendEnd(error);
        }

        if (_type == CallType.Source)
        {
            Abandon();
        }
        else if (isOver)
        {
            Finish(null);
        }

        _session.Resume();
    }

    /// <summary>Takes an item from the connection; false when the queue is full and the connection must stop being read.</summary>
    public bool TryReceive(in RpcBody body)
    {
        lock (_gate)
        {
            if (!Reads || _remoteEnded || _isOver)
            {
                return true;
            }

            var limits = _session.Limits;
            if (_queue.Count >= limits.StreamQueueItems || _queuedBytes >= limits.StreamQueueBytes)
            {
                if (!_localEnded)
                {
                    return false;
                }

                // Nobody seems to read what we ended long ago; the connection's other streams shall not wait for that.
                EndRemotely(new RpcException("the rest of the stream was not read in time"));
                return true;
            }

            var size = body.Bytes.Length + ItemOverhead;
            if (!_session.TryHold(size))
            {
                return false;
            }

            _queue.Enqueue(body);
            _queuedBytes += size;
            _arrived?.Set();
            return true;
        }
    }

    /// <summary>The peer ended its side.</summary>
    public void ReceiveEnd(RpcException? error)
    {
        lock (_gate)
        {
            if (_remoteEnded || _isOver)
            {
                return;
            }

            EndRemotely(error);
            var staysOpen = error is null && !_localEnded && (_type == CallType.Duplex || (_type == CallType.Sink && _isIncoming));
            if (staysOpen)
            {
                return;
            }

            if (!_localEnded)
            {
                _localEnded = true;
                SendEnd(null);
            }
        }

        Finish(error);
    }

    /// <summary>Gives the stream up without a word, because both sides have ended or the connection is lost. What has arrived can still be read.</summary>
    public void Finish(RpcException? error)
    {
        CancellationTokenSource? ended;
        lock (_gate)
        {
            if (_isOver)
            {
                return;
            }

            EndRemotely(error);
            _isOver = true;
            ended = _ended;
            _session.Release(_queuedBytes, mayResume: true);
        }

        _session.Forget(this);
        if (ended is not null)
        {
            MuxRpcSession.CancelLater(ended);
        }
    }

    /// <summary>Gives the stream up for good: nobody will read it.</summary>
    public void Abandon()
    {
        Finish(null);
        lock (_gate)
        {
            _queue.Clear();
        }
    }

    private void EndRemotely(RpcException? error)
    {
        if (!_remoteEnded)
        {
            _remoteEnded = true;
            _error = error;
            _arrived?.Set();
        }
    }

    private void SendEnd(RpcException? error)
    {
        var body = error is null ? RpcErrorText.OrderlyEnd : RpcErrorText.Encode(error.Message);
        _ = _session.Output.TryAdd(BodyType.Json, isStream: true, isEnd: true, -ReceivedNumber, body);
    }

    private bool NothingMoreComes() => _remoteEnded || (_localEnded && _type == CallType.Source);

    private RpcException EndedForWriting()
    {
        lock (_gate)
        {
            return _error is null ? new RpcException("the stream has ended") : new RpcException(_error.Message, _error);
        }
    }

    private bool TryTake(out RpcBody body)
    {
        if (!_queue.TryDequeue(out body))
        {
            return false;
        }

        var size = body.Bytes.Length + ItemOverhead;
        _queuedBytes -= size;
        if (!_isOver)
        {
            var limits = _session.Limits;
            _session.Release(size, _queuedBytes <= limits.StreamQueueBytes / 2 && _queue.Count <= limits.StreamQueueItems / 2);
        }

        return true;
    }

    private async ValueTask<RpcBody?> WaitAndReadAsync(CancellationToken cancellationToken)
    {
        using var cancellation = cancellationToken.UnsafeRegister(static signal => ((WakeSignal)signal!).Set(), _arrived);
        while (true)
        {
            await _arrived!.WaitAsync();
            lock (_gate)
            {
                if (TryTake(out var body))
                {
                    return body;
                }

                if (NothingMoreComes())
                {
                    return _error is null ? null : throw new RpcException(_error.Message, _error);
                }
            }

            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async ValueTask WaitAndWriteAsync(BodyType type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (!await _session.Output.AddAsync(_session.Limits.OutputHighWater, type, isStream: true, -ReceivedNumber, body, cancellationToken))
        {
            throw _session.Lost;
        }
    }
}
