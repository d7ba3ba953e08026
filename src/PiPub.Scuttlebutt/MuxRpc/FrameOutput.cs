using System.Buffers;
using System.IO.Pipelines;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// What a connection has still to send: frames of all its calls, encoded one behind the other into one pooled buffer under
/// a short lock. One loop drains it, whatever has accumulated in one write. Idle, it holds no buffer.
/// </summary>
internal sealed class FrameOutput(PipeWriter writer, MuxRpcLimits limits)
{
    private const int Smallest = 4096;

    /// <summary>Written and flushed at once; then waiting writers see the room.</summary>
    private const int Slice = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly WakeSignal _filled = new();
    private readonly Queue<TaskCompletionSource> _waiters = new(0);
    private byte[]? _buffer;
    private int _length;
    private int _inFlight;
    private int _expected;
    private bool _isClosed;
    private bool _isCut;
    private bool _isDone;

    /// <summary>True when no more frames are taken.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed;
            }
        }
    }

    /// <summary>Bytes accepted and not yet given to the transport.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _length + _inFlight;
            }
        }
    }

    /// <summary>Bytes given to the transport so far.</summary>
    public long Sent { get; private set; }

    /// <summary>
    /// Adds a frame without waiting; false when the connection takes no more. An empty body adds nothing: it would be a goodbye.
    /// </summary>
    public bool TryAdd(BodyType type, bool isStream, bool isEnd, int number, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty)
        {
            return true;
        }

        lock (_gate)
        {
            return !_isClosed && Add(new FrameHeader(type, isStream, isEnd, (uint)body.Length, number), body);
        }
    }

    /// <summary>Adds a frame if less than <paramref name="mark"/> bytes wait. Null: more do, wait for room; false: no more is taken.</summary>
    public bool? TryAddBelow(int mark, BodyType type, bool isStream, int number, ReadOnlySpan<byte> body)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            return _length + _inFlight < mark
                ? Add(new FrameHeader(type, isStream, IsEnd: false, (uint)body.Length, number), body)
                : null;
        }
    }

    /// <summary>Adds a frame as soon as less than <paramref name="mark"/> bytes wait; false when the connection takes no more.</summary>
    public async ValueTask<bool> AddAsync(
        int mark, BodyType type, bool isStream, int number, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryAddBelow(mark, type, isStream, number, body.Span) is { } taken)
            {
                PassOn();
                return taken;
            }

            await WaitForRoomAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Completes when the output has fallen to half its high-water mark, or takes no more. Those who wait go on one after the
    /// other, in their order: whoever has gone on calls <see cref="PassOn"/>.
    /// </summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource room;
        lock (_gate)
        {
            if (_isClosed || _length + _inFlight < limits.OutputHighWater)
            {
                return;
            }

            room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Enqueue(room);
        }

        using var cancellation = cancellationToken.UnsafeRegister(
            static (room, token) => _ = ((TaskCompletionSource)room!).TrySetCanceled(token), room);
        await room.Task;
    }

    /// <summary>Lets the next who waits for room go on, if there is room.</summary>
    public void PassOn()
    {
        lock (_gate)
        {
            if (_waiters.Count > 0 && _length + _inFlight < limits.OutputHighWater)
            {
                ReleaseNext();
            }
        }
    }

    /// <summary>Adds the goodbye and takes no more; what was accepted is still sent.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                _ = Add(default, default);
                _isClosed = true;
                ReleaseAll();
            }
        }

        _filled.Set();
    }

    /// <summary>Takes no more and sends no more.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            Refuse();
            if (!_isDone)
            {
                writer.CancelPendingFlush();
            }
        }

        _filled.Set();
    }

    /// <summary>Sends until closed and empty, cut, or the transport is gone.</summary>
    public async Task RunAsync()
    {
        byte[]? chunk = null;
        try
        {
            while (Take(out chunk, out var length) || await MoreAsync())
            {
                for (var sent = 0; sent < length;)
                {
                    var slice = Math.Min(length - sent, Slice);
                    writer.Write(chunk.AsSpan(sent, slice));
                    var flushed = await writer.FlushAsync();
                    if (flushed.IsCanceled || flushed.IsCompleted)
                    {
                        return;
                    }

                    sent += slice;
                    Sent += slice;
                    Landed(slice);
                }

                Return(ref chunk);
            }
        }
        finally
        {
            Return(ref chunk);
            lock (_gate)
            {
                _isDone = true;
                Refuse();
                Return(ref _buffer);
                _length = 0;
            }
        }
    }

    private static void Return(ref byte[]? buffer)
    {
        if (buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = null;
        }
    }

    private bool Add(in FrameHeader header, ReadOnlySpan<byte> body)
    {
        var total = FrameHeader.Length + body.Length;
        Reserve(total);
        var space = _buffer.AsSpan(_length, total);
        header.Write(space);
        body.CopyTo(space[FrameHeader.Length..]);
        if (_length == 0)
        {
            _filled.Set();
        }

        _length += total;
        return true;
    }

    private void Reserve(int more)
    {
        if (_buffer is not null && _buffer.Length - _length >= more)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + more, _buffer is null ? Math.Max(Smallest, _expected) : 2 * _length));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        Return(ref _buffer);
        _buffer = larger;
    }

    private bool Take(out byte[]? chunk, out int length)
    {
        lock (_gate)
        {
            (chunk, length, _buffer, _inFlight, _length) = (_buffer, _length, null, _length, 0);
            _expected = length;
            return length > 0;
        }
    }

    /// <summary>Waits for frames; false when none will come.</summary>
    private async ValueTask<bool> MoreAsync()
    {
        lock (_gate)
        {
            if (_isCut || (_isClosed && _length == 0))
            {
                return false;
            }
        }

        await _filled.WaitAsync();
        return true;
    }

    private void Landed(int bytes)
    {
        lock (_gate)
        {
            _inFlight -= bytes;
            if (_length + _inFlight <= limits.OutputHighWater / 2)
            {
                ReleaseNext();
            }
        }
    }

    private void Refuse()
    {
        _isClosed = true;
        _isCut = true;
        ReleaseAll();
    }

    private void ReleaseAll()
    {
        while (_waiters.TryDequeue(out var room))
        {
            _ = room.TrySetResult();
        }
    }

    private void ReleaseNext()
    {
        // Who has given up waiting is passed over.
        while (_waiters.TryDequeue(out var room) && !room.TrySetResult())
        {
        }
    }
}
