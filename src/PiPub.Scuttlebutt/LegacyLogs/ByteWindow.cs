namespace PiPub.Scuttlebutt.LegacyLogs;

/// <summary>A piece of a long stream in memory, which moves forward only.</summary>
internal sealed class ByteWindow(Stream stream)
{
    private const int Size = 1 << 20;

    private readonly byte[] _buffer = new byte[Size];
    private int _start;
    private int _end;
    private bool _isOver;

    /// <summary>The most bytes that can be seen at once.</summary>
    public const int Most = Size / 2;

    /// <summary>Where the window begins in the stream.</summary>
    public long Position { get; private set; }

    /// <summary>The next bytes: <paramref name="count"/> of them, or fewer when the stream ends before.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        if (_end - _start < count && !_isOver)
        {
            Fill(count);
        }

        return _buffer.AsSpan(_start, Math.Min(count, _end - _start));
    }

    /// <summary>Moves forward over bytes that were seen.</summary>
    public void Skip(int count)
    {
        _start += count;
        Position += count;
    }

    private void Fill(int count)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        while (_end < count && !_isOver)
        {
            var read = stream.Read(_buffer, _end, Size - _end);
            _end += read;
            _isOver = read == 0;
        }
    }
}
