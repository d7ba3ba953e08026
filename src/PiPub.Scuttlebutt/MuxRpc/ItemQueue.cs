using System.Buffers;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>Items of one stream that wait to be read: a ring in pooled memory, which is given back when empty. Not safe for threads.</summary>
internal struct ItemQueue
{
    private const int Smallest = 16;

    private RpcBody[]? _ring;
    private int _first;

    /// <summary>Items that wait.</summary>
    public int Count { get; private set; }

    public void Enqueue(in RpcBody item)
    {
        if (_ring is null || Count == _ring.Length)
        {
            Grow();
        }

        var at = _first + Count;
        _ring![at < _ring.Length ? at : at - _ring.Length] = item;
        Count++;
    }

    public bool TryDequeue(out RpcBody item)
    {
        if (Count == 0)
        {
            item = default;
            return false;
        }

        item = _ring![_first];
        _ring[_first] = default;
        _first = _first + 1 < _ring.Length ? _first + 1 : 0;
        if (--Count == 0)
        {
            Clear();
        }

        return true;
    }

    public void Clear()
    {
        if (_ring is not null)
        {
            ArrayPool<RpcBody>.Shared.Return(_ring, clearArray: Count > 0);
        }

        this = default;
    }

    private void Grow()
    {
        var larger = ArrayPool<RpcBody>.Shared.Rent(Math.Max(Smallest, 2 * Count));
        if (_ring is not null)
        {
            var untilEnd = _ring.Length - _first;
            _ring.AsSpan(_first, untilEnd).CopyTo(larger);
            _ring.AsSpan(0, _first).CopyTo(larger.AsSpan(untilEnd));
            ArrayPool<RpcBody>.Shared.Return(_ring, clearArray: true);
        }

        (_ring, _first) = (larger, 0);
    }
}
