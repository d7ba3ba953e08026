using System.Buffers;

namespace PiPub.Storage.Log;

/// <summary>
/// Finds where the last segment's whole records end. A crash may leave the last batch half written, in any order of
/// its pages; everything before that batch was flushed and must be whole.
/// </summary>
/// <remarks>
/// The first record that is not whole ends the log, unless a record that starts a later batch follows it: a batch is
/// written only after the one before it was flushed, so then acknowledged bytes are damaged, and nothing is cut.
/// </remarks>
internal static class TailRecovery
{
    private const int ChunkBytes = 1 << 18;

    /// <summary>The position after the last whole record of the segment.</summary>
    /// <exception cref="LogDamagedException">A record before the last batch is damaged.</exception>
    public static long FindEnd(SegmentFile segment)
    {
        var fileEnd = segment.Start + segment.Length;
        var buffer = RentBuffer();
        try
        {
            var position = segment.Start;
            while (position < fileEnd)
            {
                var chunk = buffer.AsSpan(0, segment.Read(position, buffer.AsSpan(0, (int)Math.Min(buffer.Length, fileEnd - position))));
                var whole = WholeRecords(chunk);
                position += whole;
                if (whole == 0)
                {
                    break;
                }
            }

            if (position < fileEnd && NextWhole(segment, position, fileEnd, buffer, startsBatch: true) is { } later)
            {
                throw new LogDamagedException(segment.Path, position, position - segment.Start,
                    $"its checksum does not fit, and whole records follow from position {later}, so this is not a crash's torn tail");
            }

            return position;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The length of the whole records that a chunk begins with. The buffer holds at least one of any size.</summary>
    private static int WholeRecords(ReadOnlySpan<byte> chunk)
    {
        var at = 0;
        while (chunk.Length - at >= RecordFormat.FrameBytes)
        {
            var length = RecordFormat.Length(chunk[at..]);
            if (length < 0 || length > chunk.Length - at || !RecordFormat.IsWhole(chunk.Slice(at, length)))
            {
                break;
            }

            at += length;
        }

        return at;
    }

    /// <summary>Looks at every byte after a broken record for a whole one, or for one that starts a batch.</summary>
    internal static long? NextWhole(SegmentFile segment, long broken, long fileEnd, byte[] buffer, bool startsBatch)
    {
        for (var position = broken + 1; position < fileEnd; position += ChunkBytes)
        {
            var chunk = buffer.AsSpan(0, segment.Read(position, buffer.AsSpan(0, (int)Math.Min(buffer.Length, fileEnd - position))));
            for (var at = 0; at < Math.Min(ChunkBytes, chunk.Length - RecordFormat.ShortForm + 1); at++)
            {
                var length = RecordFormat.Length(chunk[at..]);
                if (length > 0 && length <= chunk.Length - at
                    && RecordFormat.HeadLength(chunk[at..]) <= length
                    && (!startsBatch || RecordFormat.StartsBatch(chunk[at..]))
                    && RecordFormat.IsWhole(chunk.Slice(at, length)))
                {
                    return position + at;
                }
            }
        }

        return null;
    }

    /// <summary>A buffer that any record fits into behind a chunk.</summary>
    internal static byte[] RentBuffer() => ArrayPool<byte>.Shared.Rent(ChunkBytes + RecordFormat.LongForm + RecordFormat.MaxValueBytes);
}
