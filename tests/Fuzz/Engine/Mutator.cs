using System.Buffers.Binary;

namespace PiPub.Fuzz;

/// <summary>Makes a new input out of known ones. The same seed makes the same inputs of the same corpus.</summary>
internal sealed class Mutator(int seed, FuzzTarget target)
{
    private static readonly long[] Edges =
        [0, 1, -1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 4095, 4096, 4097, 8191, 8192, 8193, 32767, 32768, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue];

    private readonly Random _random = new(seed);
    private readonly IReadOnlyList<byte[]> _words = target.Words;
    private readonly byte[] _work = new byte[target.MaxInput];
    private int _length;

    /// <summary>Mangles one of the corpus a few times. Good until the next call.</summary>
    public ReadOnlySpan<byte> Next(IReadOnlyList<byte[]> corpus)
    {
        // The newest are looked at more: what follows from them was tried least.
        var at = _random.Next(4) == 0 ? corpus.Count - 1 - (int)(corpus.Count * Math.Pow(_random.NextDouble(), 3)) : _random.Next(corpus.Count);
        var from = corpus[Math.Clamp(at, 0, corpus.Count - 1)];
        _length = Math.Min(from.Length, _work.Length);
        from.AsSpan(0, _length).CopyTo(_work);
        for (var times = 1 << _random.Next(6); times > 0; times--)
        {
            Mangle(corpus);
        }

        return _work.AsSpan(0, _length);
    }

    private void Mangle(IReadOnlyList<byte[]> corpus)
    {
        if (_length == 0)
        {
            Insert(0, [(byte)_random.Next(256)]);
            return;
        }

        var at = _random.Next(_length);
        switch (_random.Next(13))
        {
            case 0:
                _work[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                _work[at] = (byte)_random.Next(256);
                break;
            case 2:
                _work[at] += (byte)(_random.Next(35) - 17);
                break;
            case 3:
                Remove(at, 1 + _random.Next(Math.Min(_length - at, 1 << _random.Next(8))));
                break;
            case 4:
                Insert(at, _work.AsSpan(at, Math.Min(_length - at, 1 + _random.Next(64))).ToArray());
                break;
            case 5:
                var from = _random.Next(_length);
                var count = Math.Min(1 + _random.Next(64), _length - Math.Max(at, from));
                _work.AsSpan(from, count).CopyTo(_work.AsSpan(at));
                break;
            case 6:
                Number(at);
                break;
            case 7:
                var noise = new byte[1 + _random.Next(8)];
                _random.NextBytes(noise);
                Insert(at, noise);
                break;
            case 8:
                var other = corpus[_random.Next(corpus.Count)];
                if (other.Length > 0)
                {
                    var start = _random.Next(other.Length);
                    Insert(at, other.AsSpan(start, Math.Min(other.Length - start, 1 + _random.Next(256))));
                }

                break;
            case 9:
                Remove(at, _length - at);
                break;
            case 10:
                var run = Math.Min(1 + _random.Next(40), _length - at);
                _work.AsSpan(at, run).Fill(_work[at]);
                break;
            default:
                if (_words.Count > 0)
                {
                    Word(at, _words[_random.Next(_words.Count)]);
                }

                break;
        }
    }

    private void Word(int at, byte[] word)
    {
        if (_random.Next(2) == 0)
        {
            Insert(at, word);
        }
        else
        {
            word.AsSpan(0, Math.Min(word.Length, _length - at)).CopyTo(_work.AsSpan(at));
        }
    }

    private void Number(int at)
    {
        var value = Edges[_random.Next(Edges.Length)];
        Span<byte> bytes = stackalloc byte[8];
        var size = 1 << _random.Next(4);
        if (_random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            bytes = bytes[..size];
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            bytes = bytes[(8 - size)..];
        }

        bytes[..Math.Min(size, _length - at)].CopyTo(_work.AsSpan(at));
    }

    private void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(bytes.Length, _work.Length - _length);
        _work.AsSpan(at, _length - at).CopyTo(_work.AsSpan(at + count));
        bytes[..count].CopyTo(_work.AsSpan(at));
        _length += count;
    }

    private void Remove(int at, int count)
    {
        _work.AsSpan(at + count, _length - at - count).CopyTo(_work.AsSpan(at));
        _length -= count;
    }
}
