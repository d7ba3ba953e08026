using System.Buffers;
using PiPub.Storage.Log;

namespace PiPub.Storage.Verification;

/// <summary>
/// Reads the log's files record by record and, unlike the log itself, goes on behind damage: every byte is either in a
/// whole record, in a reported damage, or in the torn tail.
/// </summary>
/// <param name="directory">The log's directory.</param>
/// <param name="end">Up to which position, when the log is in use; null to read to the end of the files.</param>
internal sealed class LogInspector(string directory, long? end)
{
    public const string Salvage = "Stop PiPub and put the log back from a backup, or run 'pipub verify --salvage': it keeps what is whole, and peers send the rest again";

    /// <summary>Bytes behind the last whole record that a crash left; known when all was read.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Bytes read.</summary>
    public long Bytes { get; private set; }

    /// <summary>Records and damages in order: one of the two is null.</summary>
    public IEnumerable<(LogRecord? Record, StoreDamage? Damage)> Read()
    {
        var starts = SegmentFile.List(directory);
        long expected = 0;
        for (var i = 0; i < starts.Length && !(starts[i] >= end); i++)
        {
            using var segment = new SegmentFile(directory, starts[i]);
            var segmentEnd = Math.Min(segment.Start + segment.Length, end ?? long.MaxValue);
            if (segment.Start != expected)
            {
                yield return (null, new StoreDamage($"log position {Math.Min(expected, segment.Start)}, before {segment.Path}",
                    segment.Start > expected ? $"{segment.Start - expected:N0} bytes are missing" : "two files overlap", Salvage));
            }

            foreach (var item in Read(segment, segmentEnd, mayBeTorn: i == starts.Length - 1 && end is null))
            {
                yield return item;
            }

            expected = segmentEnd;
            Bytes += segmentEnd - segment.Start;
        }

        if (end > expected)
        {
            yield return (null, new StoreDamage($"log position {expected}", $"the last {end - expected:N0} bytes are missing", Salvage));
        }
    }

    private IEnumerable<(LogRecord? Record, StoreDamage? Damage)> Read(SegmentFile segment, long segmentEnd, bool mayBeTorn)
    {
        var buffer = TailRecovery.RentBuffer();
        try
        {
            var position = segment.Start;
            while (position < segmentEnd)
            {
                var filled = segment.Read(position, buffer.AsSpan(0, (int)Math.Min(buffer.Length, segmentEnd - position)));
                var at = 0;
                while (Take(buffer, at, filled, position) is { } record)
                {
                    at += (int)(record.End - position);
                    position = record.End;
                    yield return (record, null);
                }

                if (at > 0)
                {
                    continue;
                }

                // A record that starts a later batch shows that what is broken here was flushed once; so does a log in use.
                var isTorn = mayBeTorn && TailRecovery.NextWhole(segment, position, segmentEnd, buffer, startsBatch: true) is null;
                if (isTorn)
                {
                    TornBytes = segmentEnd - position;
                    yield break;
                }

                var next = TailRecovery.NextWhole(segment, position, segmentEnd, buffer, startsBatch: false) ?? segmentEnd;
                yield return (null, new StoreDamage($"log position {position} (byte {position - segment.Start} of {segment.Path})",
                    $"{next - position:N0} bytes are not what was written", Salvage));
                position = next;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static LogRecord? Take(byte[] buffer, int at, int filled, long position)
    {
        if (filled - at < RecordFormat.FrameBytes || RecordFormat.Length(buffer.AsSpan(at)) is var length && (length < 0 || length > filled - at))
        {
            return null;
        }

        var record = buffer.AsSpan(at, length);
        return RecordFormat.IsWhole(record)
            ? RecordFormat.Read(record, position, record[RecordFormat.HeadLength(record)..].ToArray())
            : null;
    }
}
