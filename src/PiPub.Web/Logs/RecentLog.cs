using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;

namespace PiPub.Web.Logs;

/// <summary>A line of the log.</summary>
/// <param name="At">When.</param>
/// <param name="Level">How serious.</param>
/// <param name="Source">Which part said it.</param>
/// <param name="Text">What it said; an exception follows in lines of its own.</param>
public sealed record LogLine(DateTimeOffset At, LogLevel Level, string Source, string Text);

/// <summary>
/// The last lines of the log, for the page that shows them: the same lines that go to standard error, kept in one ring of 256 KiB
/// that is allocated once. It outlasts a restart within the process.
/// </summary>
/// <remarks>
/// In the ring a line is its length (4 bytes), its time (8, ticks in UTC), its level (1), the length of its source (1), and both
/// texts in UTF-8. Lines may begin at the ring's end and go on at its start.
/// </remarks>
[ProviderAlias("Recent")]
public sealed class RecentLog(TimeProvider time) : ILoggerProvider
{
    /// <summary>Bytes kept.</summary>
    public const int Capacity = 256 * 1024;

    private const int Head = 14;
    private const int MaxText = 4000;
    private const int MaxSource = 120;

    private readonly Lock _gate = new();
    private readonly byte[] _ring = new byte[Capacity];
    private readonly byte[] _line = new byte[Head + MaxSource + MaxText];
    private int _start;
    private int _used;
    private long _version;

    /// <summary>Another one with every line: whoever shows the log looks whether there is something new.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        ArgumentNullException.ThrowIfNull(categoryName);
        return new Logger(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);
    }

    /// <summary>The newest lines that are wanted, the newest first.</summary>
    /// <param name="least">The least serious that are wanted.</param>
    /// <param name="search">What they contain, large and small letters alike; null or empty for all.</param>
    /// <param name="most">How many at most.</param>
    public IReadOnlyList<LogLine> Read(LogLevel least, string? search, int most)
    {
        var lines = new Queue<LogLine>();
        lock (_gate)
        {
            for (int at = _start, left = _used; left > 0;)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(Copy(at, Head));
                var line = Copy(at, length);
                (at, left) = ((at + length) % Capacity, left - length);
                if ((LogLevel)line[12] < least)
                {
                    continue;
                }

                var source = Encoding.UTF8.GetString(line.Slice(Head, line[13]));
                var text = Encoding.UTF8.GetString(line[(Head + line[13])..]);
                if (string.IsNullOrEmpty(search) || text.Contains(search, StringComparison.OrdinalIgnoreCase) || source.Contains(search, StringComparison.OrdinalIgnoreCase))
                {
                    lines.Enqueue(new LogLine(new DateTimeOffset(BinaryPrimitives.ReadInt64LittleEndian(line[4..]), TimeSpan.Zero), (LogLevel)line[12], source, text));
                    if (lines.Count > most)
                    {
                        _ = lines.Dequeue();
                    }
                }
            }
        }

        return [.. lines.Reverse()];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // A log that is opened anew after a restart goes on in the same ring.
    }

    private void Add(LogLevel level, string source, string text)
    {
        lock (_gate)
        {
            var sourceLength = Encoding.UTF8.GetBytes(source, _line.AsSpan(Head, MaxSource));
            Encoding.UTF8.GetEncoder().Convert(text, _line.AsSpan(Head + sourceLength, MaxText), flush: false, out _, out var textLength, out _);
            var length = Head + sourceLength + textLength;
            BinaryPrimitives.WriteInt32LittleEndian(_line, length);
            BinaryPrimitives.WriteInt64LittleEndian(_line.AsSpan(4), time.GetUtcNow().UtcTicks);
            (_line[12], _line[13]) = ((byte)level, (byte)sourceLength);
            while (_used + length > Capacity)
            {
                var oldest = BinaryPrimitives.ReadInt32LittleEndian(Copy(_start, Head));
                (_start, _used) = ((_start + oldest) % Capacity, _used - oldest);
            }

            var end = (_start + _used) % Capacity;
            var first = Math.Min(length, Capacity - end);
            _line.AsSpan(0, first).CopyTo(_ring.AsSpan(end));
            _line.AsSpan(first, length - first).CopyTo(_ring);
            _used += length;
            _version++;
        }
    }

    /// <summary>Bytes of the ring in one piece; only where they go round its end, a copy.</summary>
    private ReadOnlySpan<byte> Copy(int at, int length)
    {
        if (at + length <= Capacity)
        {
            return _ring.AsSpan(at, length);
        }

        var whole = new byte[length];
        _ring.AsSpan(at).CopyTo(whole);
        _ring.AsSpan(0, length - (Capacity - at)).CopyTo(whole.AsSpan(Capacity - at));
        return whole;
    }

    private sealed class Logger(RecentLog log, string source) : ILogger
    {
        private readonly string _source = source.Length <= MaxSource / 3 ? source : source[..(MaxSource / 3)];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = formatter(state, exception).Trim();
            log.Add(logLevel, _source, exception is null ? text : text + "\n" + exception);
        }
    }
}
