using System.Buffers;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>
/// Plaintext that was opened and not consumed yet: a chain of pooled segments, which holds nothing while it is empty.
/// </summary>
internal sealed class PlaintextBuffer
{
    private const int SmallSegment = BoxStream.MaxBodyLength;
    private const int LargeSegment = 8 * BoxStream.MaxBodyLength;

    private Segment? _head;
    private Segment? _tail;
    private int _headIndex;

    /// <summary>Bytes in the buffer.</summary>
    public long Length { get; private set; }

    public ReadOnlySequence<byte> Sequence =>
        _head is null ? ReadOnlySequence<byte>.Empty : new ReadOnlySequence<byte>(_head, _headIndex, _tail!, _tail!.End);

    /// <summary>Room for the next <paramref name="length"/> bytes, at most 4096; <paramref name="expected"/> more may follow soon.</summary>
    public Span<byte> Reserve(int length, long expected)
    {
        if (_tail is null || _tail.Free < length)
        {
            var segment = new Segment(ArrayPool<byte>.Shared.Rent(expected > SmallSegment ? (int)Math.Min(expected, LargeSegment) : SmallSegment));
            if (_tail is null)
            {
                _head = segment;
                _headIndex = 0;
            }
            else
            {
                _tail.Append(segment);
            }

            _tail = segment;
        }

        return _tail.Reserve(length);
    }

    /// <summary>Makes the reserved bytes part of the buffer.</summary>
    public void Commit(int length)
    {
        _tail!.Commit(length);
        Length += length;
    }

    /// <summary>Drops an empty segment that was reserved and not used.</summary>
    public void Trim()
    {
        if (Length == 0)
        {
            Clear();
        }
    }

    /// <summary>Bytes from the beginning to a position inside the buffer.</summary>
    public long OffsetOf(SequencePosition position)
    {
        if (position.GetObject() is not Segment segment)
        {
            // The position of an empty buffer.
            return 0;
        }

        return segment.RunningIndex + position.GetInteger() - (_head!.RunningIndex + _headIndex);
    }

    /// <summary>Forgets everything before a position and gives the memory back.</summary>
    public void Consume(SequencePosition consumed)
    {
        if (consumed.GetObject() is not Segment target)
        {
            return;
        }

        Length -= OffsetOf(consumed);
        if (Length == 0)
        {
            Clear();
            return;
        }

        while (_head != target)
        {
            ReturnHead();
        }

        _headIndex = consumed.GetInteger();
        if (_headIndex == _head!.End)
        {
            // Positions may name the end of one segment for the beginning of the next.
            ReturnHead();
            _headIndex = 0;
        }
    }

    public void Clear()
    {
        for (var segment = _head; segment is not null; segment = (Segment?)segment.Next)
        {
            segment.Return();
        }

        _head = _tail = null;
        _headIndex = 0;
        Length = 0;
    }

    private void ReturnHead()
    {
        var next = (Segment)_head!.Next!;
        _head.Return();
        _head = next;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private byte[]? _bytes;

        public Segment(byte[] bytes) => _bytes = bytes;

        public int End { get; private set; }

        public int Free => _bytes!.Length - End;

        public Span<byte> Reserve(int length) => _bytes.AsSpan(End, length);

        public void Commit(int length)
        {
            End += length;
            Memory = _bytes.AsMemory(0, End);
        }

        public void Append(Segment next)
        {
            next.RunningIndex = RunningIndex + End;
            Next = next;
        }

        public void Return()
        {
            ArrayPool<byte>.Shared.Return(_bytes!);
            _bytes = null;
            Memory = default;
        }
    }
}
