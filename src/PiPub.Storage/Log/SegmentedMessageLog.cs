using System.Buffers;
using System.Runtime.CompilerServices;
using PiPub.Scuttlebutt.Feeds;

namespace PiPub.Storage.Log;

/// <summary>
/// The message log in segment files: each batch is one append and one fdatasync, each read is one or two preads.
/// </summary>
/// <remarks>
/// A position is a byte offset over all segments, which follow each other without a gap; a file is named by its first
/// position in hexadecimal. The record's layout is in <see cref="RecordFormat"/>. Files grow as they are written: laying
/// them out beforehand would save the file system a few metadata writes and would make a torn tail harder to tell.
/// </remarks>
public sealed class SegmentedMessageLog : IMessageLog
{
    /// <summary>A new file is begun when the last one has this many bytes: all that an unclean start must check.</summary>
    public const long DefaultSegmentBytes = 32L << 20;

    private const int FirstReadBytes = 1024; // most messages whole, in one pread
    private const int ScanBytes = 1 << 18;
    private const int WriteBytes = 1 << 20;

    private readonly string _directory;
    private readonly long _segmentBytes;
    private readonly Func<string, long, SegmentFile> _openSegment;
    private readonly SemaphoreSlim _oneWriter = new(1);
    private SegmentFile[] _segments;
    private long _end;
    private bool _tailIsClean = true;
    private bool _disposed;

    private SegmentedMessageLog(string directory, long segmentBytes, Func<string, long, SegmentFile> openSegment)
    {
        _directory = directory;
        _segmentBytes = segmentBytes;
        _openSegment = openSegment;
        _segments = [.. SegmentFile.List(directory).Select(start => openSegment(directory, start))];
    }

    /// <inheritdoc/>
    public long End => Volatile.Read(ref _end);

    /// <summary>How many bytes of a half-written batch were cut off when the log was opened: 0 after a clean stop.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Opens the log in a directory, made when missing, and cuts a torn tail back to the last whole record.</summary>
    /// <exception cref="LogDamagedException">Bytes that were safely stored are damaged or missing.</exception>
    /// <exception cref="IOException">The directory or a file in it cannot be opened.</exception>
    public static SegmentedMessageLog Open(string directory, long segmentBytes = DefaultSegmentBytes) =>
        Open(directory, segmentBytes, static (path, start) => new SegmentFile(path, start));

    /// <summary>The same, with files that a test may make fail.</summary>
    internal static SegmentedMessageLog Open(string directory, long segmentBytes, Func<string, long, SegmentFile> openSegment)
    {
        Directory.CreateDirectory(directory);
        var log = new SegmentedMessageLog(directory, segmentBytes, openSegment);
        try
        {
            log.Recover();
            return log;
        }
        catch
        {
            log.Close();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(messages);
        if (messages.Count == 0)
        {
            return [];
        }

        await _oneWriter.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);

            // The flush blocks for as long as the card takes: not on the caller's thread.
            return await Task.Run(() => Append(messages, receivedAt), CancellationToken.None);
        }
        finally
        {
            _oneWriter.Release();
        }
    }

    /// <inheritdoc/>
    public LogRecord Read(long position)
    {
        var record = ReadRecord(position, out var segment);
        return RecordFormat.Read(record, position, record.AsMemory(RecordFormat.HeadLength(record)))
            ?? throw Damaged(segment, position, "its value does not begin as a message does");
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    public ReadOnlyMemory<byte> ReadValue(long position)
    {
        Span<byte> first = stackalloc byte[FirstReadBytes];
        var length = ReadFirst(position, first, out _);
        if (length <= first.Length && RecordFormat.IsWhole(first[..length]))
        {
            return first[RecordFormat.HeadLength(first)..length].ToArray();
        }

        var record = ReadRecord(position, out _);
        return record.AsMemory(RecordFormat.HeadLength(record));
    }

    /// <inheritdoc/>
    public IEnumerable<LogRecord> Scan(long position)
    {
        var end = End;
        var buffer = ArrayPool<byte>.Shared.Rent(ScanBytes);
        try
        {
            while (position < end)
            {
                var segment = Find(position);
                var filled = segment.Read(position, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - position)));
                var at = 0;
                while (TakeRecord(buffer, at, filled, position) is { } record)
                {
                    at += (int)(record.End - position);
                    position = record.End;
                    yield return record;
                }

                if (at == 0)
                {
                    // Larger than the buffer, or damaged; then this throws.
                    var record = Read(position);
                    position = record.End;
                    yield return record;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _oneWriter.WaitAsync();
        Close();
        _oneWriter.Release();
    }

    private static LogRecord? TakeRecord(byte[] buffer, int at, int filled, long position)
    {
        if (filled - at < RecordFormat.FrameBytes)
        {
            return null;
        }

        var length = RecordFormat.Length(buffer.AsSpan(at));
        if (length < 0 || length > filled - at)
        {
            return null;
        }

        var record = buffer.AsSpan(at, length);
        return RecordFormat.IsWhole(record)
            ? RecordFormat.Read(record, position, record[RecordFormat.HeadLength(record)..].ToArray())
            : null;
    }

    private static LogDamagedException Damaged(SegmentFile segment, long position, string what) =>
        new(segment.Path, position, position - segment.Start, what);

    [SkipLocalsInit]
    private byte[] ReadRecord(long position, out SegmentFile segment)
    {
        Span<byte> first = stackalloc byte[FirstReadBytes];
        var length = ReadFirst(position, first, out segment);
        var record = new byte[length];
        var known = Math.Min(length, first.Length);
        first[..known].CopyTo(record);
        return segment.Read(position + known, record.AsSpan(known)) < length - known ? throw Damaged(segment, position, "the file ends inside a record")
            : !RecordFormat.IsWhole(record) ? throw Damaged(segment, position, "its checksum does not fit")
            : record;
    }

    /// <summary>Reads a record's first bytes, or all of a short one, and returns its length by its frame.</summary>
    private int ReadFirst(long position, Span<byte> first, out SegmentFile segment)
    {
        segment = Find(position);
        var read = segment.Read(position, first);
        var length = read < RecordFormat.FrameBytes ? -1 : RecordFormat.Length(first);
        return length < 0 ? throw Damaged(segment, position, "no record begins here")
            : read < Math.Min(length, first.Length) ? throw Damaged(segment, position, "the file ends inside a record")
            : length;
    }

    private SegmentFile Find(long position)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if ((ulong)position >= (ulong)End)
        {
            throw new ArgumentOutOfRangeException(nameof(position), position, $"The log holds no record there; it ends at {End}.");
        }

        var segments = Volatile.Read(ref _segments);
        var index = segments.Length - 1;
        while (segments[index].Start > position)
        {
            index--;
        }

        return segments[index];
    }

    private List<LogRecord> Append(IReadOnlyList<Message> messages, long receivedAt)
    {
        CutFailedAppend();
        var start = _end;
        var records = new List<LogRecord>(messages.Count);
        try
        {
            var segment = SegmentToWrite();
            _tailIsClean = false;
            var end = Write(segment, messages, receivedAt, records);
            segment.Flush();
            _tailIsClean = true;
            Volatile.Write(ref _end, end);
            return records;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var needed = messages.Sum(static message => (long)RecordFormat.MaxLength(message));
            TryCut(start);
            throw new IOException(
                $"The message log could not be written: {error.Message.TrimEnd('.')}. {messages.Count} messages ({needed:N0} bytes) for {_directory} "
                + "were not stored; everything before them is safe. Free some space or replace the disk; what other peers hold is fetched again.",
                error);
        }
        catch
        {
            TryCut(start);
            throw;
        }
    }

    private long Write(SegmentFile segment, IReadOnlyList<Message> messages, long receivedAt, List<LogRecord> records)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(WriteBytes, messages.Sum(static message => (long)RecordFormat.MaxLength(message))));
        try
        {
            var flushed = _end;
            var used = 0;
            for (var i = 0; i < messages.Count; i++)
            {
                var message = messages[i];
                var most = RecordFormat.MaxLength(message);
                if (used > 0 && most > buffer.Length - used)
                {
                    segment.Write(flushed, buffer.AsSpan(0, used));
                    flushed += used;
                    used = 0;
                }

                if (most > buffer.Length)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = ArrayPool<byte>.Shared.Rent(most);
                }

                var length = RecordFormat.Write(message, receivedAt, startsBatch: i == 0, buffer.AsSpan(used));
                records.Add(new LogRecord(message, receivedAt, flushed + used, flushed + used + length));
                used += length;
            }

            segment.Write(flushed, buffer.AsSpan(0, used));
            return flushed + used;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private SegmentFile SegmentToWrite()
    {
        var last = _segments.Length > 0 ? _segments[^1] : null;
        if (last is not null && _end - last.Start < _segmentBytes)
        {
            return last;
        }

        var segment = _openSegment(_directory, _end);
        try
        {
            Disk.FileSync.Directory(_directory);
        }
        catch
        {
            segment.Dispose();
            throw;
        }

        Volatile.Write(ref _segments, [.. _segments, segment]);
        return segment;
    }

    private void Recover()
    {
        for (var i = 1; i < _segments.Length; i++)
        {
            var before = _segments[i - 1];
            if (before.Start + before.Length != _segments[i].Start)
            {
                throw Damaged(before, before.Start + before.Length, $"the file's {before.Length:N0} bytes do not reach the next one, {_segments[i].Path}, or overlap it");
            }
        }

        if (_segments.Length == 0)
        {
            return;
        }

        if (_segments[0].Start != 0)
        {
            throw Damaged(_segments[0], 0, "the files before this one are missing");
        }

        var last = _segments[^1];
        var fileEnd = last.Start + last.Length;
        _end = TailRecovery.FindEnd(last);
        TornBytes = fileEnd - _end;
        if (TornBytes > 0)
        {
            last.Cut(_end);
        }
    }

    /// <summary>After a failed append whose bytes could not be cut off at once: no new ones before that is done.</summary>
    private void CutFailedAppend()
    {
        if (!_tailIsClean)
        {
            TryCut(_end);
            if (!_tailIsClean)
            {
                throw new IOException($"The message log in {_directory} takes no messages: an earlier write failed and its remains could not be removed. "
                    + "Check the disk and start PiPub again; every message that was stored is safe.");
            }
        }
    }

    private void TryCut(long position)
    {
        try
        {
            if (_segments.Length > 0 && _segments[^1] is { } last && last.Length > position - last.Start)
            {
                last.Cut(position);
            }

            _tailIsClean = true;
        }
        catch (IOException)
        {
            _tailIsClean = false;
        }
    }

    private void Close()
    {
        _disposed = true;
        foreach (var segment in _segments)
        {
            segment.Dispose();
        }
    }
}
