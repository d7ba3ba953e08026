using System.Buffers.Binary;
using System.Security.Cryptography;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>The order of keys: array indices first, equal keys once. Nearly no message needs either.</summary>
public sealed partial class CanonicalJson
{
    // Equal keys are looked for by hash; seeded, so that a stranger cannot grind keys that all collide.
    private static readonly ulong Seed = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8)) | 1;

    private int[] _hashes = new int[64];
    private int[] _starts = new int[64];
    private int[] _lengths = new int[64];
    private int _keys;

    private static int Hash(ReadOnlySpan<byte> key)
    {
        var hash = Seed + (ulong)key.Length;
        while (key.Length >= 8)
        {
            hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(key)) * Seed;
            hash ^= hash >> 29;
            key = key[8..];
        }

        ulong rest = 0;
        foreach (var b in key)
        {
            rest = (rest << 8) | b;
        }

        hash = (hash ^ rest) * Seed;
        return (int)(hash >> 32);
    }

    /// <summary>The value of a key that is an array index ("0" to "4294967294", no leading zeros), otherwise -1.</summary>
    private static long ArrayIndex(ReadOnlySpan<byte> key)
    {
        if (key.Length is 0 or > 10 || (key[0] == '0' && key.Length > 1))
        {
            return -1;
        }

        var value = 0L;
        foreach (var c in key)
        {
            if ((uint)(c - '0') > 9)
            {
                return -1;
            }

            value = (value * 10) + (c - '0');
        }

        return value < uint.MaxValue ? value : -1;
    }

    /// <summary>Notes the key that was written from <paramref name="start"/> (its opening quote) to the end.</summary>
    private void AddKey(int start)
    {
        if (_keys == _hashes.Length)
        {
            Array.Resize(ref _hashes, _keys * 2);
            Array.Resize(ref _starts, _keys * 2);
            Array.Resize(ref _lengths, _keys * 2);
        }

        var key = _out.AsSpan(start + 1, _length - start - 2);
        var hash = Hash(key);
        ref var frame = ref _frames[_depth - 1];
        if (!frame.IsOdd)
        {
            frame.IsOdd = (key.Length is > 0 and <= 10 && key[0] <= '9' && ArrayIndex(key) >= 0) || FindKey(frame.FirstKey, hash, key) >= 0;
        }

        _hashes[_keys] = hash;
        _starts[_keys] = start;
        _lengths[_keys] = key.Length;
        _keys++;
    }

    private int FindKey(int first, int hash, ReadOnlySpan<byte> key)
    {
        while (true)
        {
            var found = _hashes.AsSpan(first, _keys - first).IndexOf(hash);
            if (found < 0)
            {
                return -1;
            }

            first += found;
            if (KeyAt(first).SequenceEqual(key))
            {
                return first;
            }

            first++;
        }
    }

    private ReadOnlySpan<byte> KeyAt(int key) => _out.AsSpan(_starts[key] + 1, _lengths[key]);

    /// <summary>Puts the entries of the object that is about to close into JavaScript's order, each key once.</summary>
    private void MoveKeys(ref Frame frame)
    {
        var first = frame.FirstKey;
        var count = _keys - first;
        var separator = _indented ? 2 + (2 * _depth) : 1;

        // The entry that holds the value of each key: for equal keys the last one, at the place of the first.
        var order = new List<(long Index, int Place, int Entry)>(count);
        var places = new Dictionary<int, int>();
        for (var key = first; key < _keys; key++)
        {
            var place = FindKey(first, _hashes[key], KeyAt(key));
            if (place == key)
            {
                places.Add(key, order.Count);
                var index = ArrayIndex(KeyAt(key));
                order.Add((index < 0 ? long.MaxValue : index, key, key));
            }
            else
            {
                var at = places[place];
                order[at] = order[at] with { Entry = key };
            }
        }

        order.Sort();
        var from = _starts[first];
        var old = _out.AsSpan(from, _length - from).ToArray();
        var starts = _starts.AsSpan(first, count).ToArray();
        var lengths = _lengths.AsSpan(first, count).ToArray();
        var oldEnd = _length;
        _length = from;
        var slot = first;
        foreach (var (_, _, entry) in order)
        {
            if (slot > first)
            {
                // Between two entries always stands the same: a comma and, when indented, a new line.
                old.AsSpan(starts[1] - separator - from, separator).CopyTo(_out.AsSpan(_length));
                _length += separator;
            }

            var begin = starts[entry - first];
            var end = entry + 1 < first + count ? starts[entry + 1 - first] - separator : oldEnd;
            old.AsSpan(begin - from, end - begin).CopyTo(_out.AsSpan(_length));
            _starts[slot] = _length;
            _lengths[slot] = lengths[entry - first];
            _length += end - begin;
            slot++;
        }

        _same = _same && old.AsSpan().SequenceEqual(_out.AsSpan(from, _length - from));
        _recount = true;
        _keys = slot;
    }

    private void TrimKeys()
    {
        if (_hashes.Length > 1024)
        {
            _hashes = new int[64];
            _starts = new int[64];
            _lengths = new int[64];
        }
    }
}
