using System.Buffers.Binary;

namespace PiPub.Scuttlebutt.LegacyLogs;

/// <summary>Reads <c>flume/log.offset</c>, the log of ssb-server and Patchwork.</summary>
/// <remarks>
/// <para>Source: flumelog-offset 3.4.4, frame/recoverable.js and offset-codecs.js; ssb-db 20.4.1, minimal.js.</para>
/// <para>A record is its length (32 bits, big-endian), that many bytes, the length again, and the position in the file after
/// the record, big-endian in 32, 48 or 64 bits (the variants for 32, 48 and 53 bits); so 12, 14 or 16 bytes more than its
/// content. The content is compact JSON, <c>{"key","value","timestamp"}</c>, in the order of receiving. A deleted record keeps
/// its frame; its content is zeros.</para>
/// <para>Where frames do not fit any more, the next place is sought where one does: two equal lengths around an object.
/// JSON has no byte below a space, so the zeros of a length never stand in a record's content, and no text can pretend to
/// be a frame. Bytes that are missing from a log shift all positions after them, which is noted once.</para>
/// </remarks>
public sealed class FlumeLogReader : LegacyLogReader
{
    /// <summary>The longest record that is read, in bytes: twice what the longest value may take in the wordiest form.</summary>
    public const int MaxRecordBytes = 256 * 1024;

    private const int LengthBytes = 4;
    private const int MaxFrameBytes = MaxRecordBytes + (2 * LengthBytes) + 8;

    private static readonly int[] Widths = [4, 6, 8];

    private int _width;
    private long _shift;

    /// <summary>Begins at the beginning.</summary>
    /// <param name="stream">The log's bytes. It stays open.</param>
    public FlumeLogReader(Stream stream)
        : base(stream)
    {
    }

    /// <summary>The bits of a position in this log: 32, 48 or 53; 0 while no record has been read.</summary>
    public int PositionBits => _width == 8 ? 53 : 8 * _width;

    /// <inheritdoc/>
    public override bool TryRead(out LegacyRecord record)
    {
        while (Window.Peek(1).Length > 0)
        {
            if (!IsFrame(Window.Peek(MaxFrameBytes), Window.Position, isSearching: false, out var length) && !Seek(out length))
            {
                break;
            }

            var offset = Window.Position;
            var content = Window.Peek(LengthBytes + length)[LengthBytes..];
            ReadOnlyMemory<byte> json = default;
            var isDeleted = content.IndexOfAnyExcept((byte)0) < 0;
            if (!isDeleted)
            {
                json = content.ToArray();
            }

            Window.Skip((2 * LengthBytes) + length + _width);
            if (isDeleted)
            {
                Deleted++;
            }
            else if (TryUnwrap(json, out var value))
            {
                record = new LegacyRecord(offset, value);
                return true;
            }
            else
            {
                Damaged(offset, length, "the record is no message");
            }
        }

        record = default;
        return false;
    }

    internal static bool LooksLikeOne(ReadOnlySpan<byte> head) =>
        head.Length > LengthBytes && BinaryPrimitives.ReadUInt32BigEndian(head) is >= 2 and <= MaxRecordBytes && (head[LengthBytes] == '{' || head[LengthBytes] == 0);

    /// <summary>Moves to the next place where a frame begins; false when there is none, and the log has been read to its end.</summary>
    private bool Seek(out int length)
    {
        var from = Window.Position;
        while (true)
        {
            var seen = Window.Peek(ByteWindow.Most);
            var isLast = seen.Length < ByteWindow.Most;
            var at = 0;

            // A frame is only judged where all of it is seen, save at the end of the log.
            while (seen.Length - at >= (isLast ? LengthBytes + 1 : MaxFrameBytes))
            {
                var brace = seen[(at + LengthBytes)..].IndexOf((byte)'{');
                if (brace < 0)
                {
                    at = isLast ? seen.Length : seen.Length - LengthBytes;
                    break;
                }

                at += brace;
                if (!isLast && seen.Length - at < MaxFrameBytes)
                {
                    break;
                }

                if (IsFrame(seen[at..], Window.Position + at, isSearching: true, out length))
                {
                    Window.Skip(at);
                    Damaged(from, Window.Position - from, Window.Position == from ? "the positions written in the log do not fit from here on: bytes are missing before" : "the records here are torn");
                    return true;
                }

                at++;
            }

            if (isLast)
            {
                Window.Skip(seen.Length);
                Damaged(from, Window.Position - from, "the log ends within a record");
                length = 0;
                return false;
            }

            Window.Skip(at);
        }
    }

    /// <summary>Whether a whole record begins where <paramref name="seen"/> does.</summary>
    /// <param name="seen">As much as a record can take, or what is left.</param>
    /// <param name="offset">Where that is in the log.</param>
    /// <param name="isSearching">After a damage: deleted records are not recognised then, but a log that has lost bytes is.</param>
    /// <param name="length">Of its content, in bytes.</param>
    private bool IsFrame(ReadOnlySpan<byte> seen, long offset, bool isSearching, out int length)
    {
        length = 0;
        if (seen.Length < LengthBytes || BinaryPrimitives.ReadUInt32BigEndian(seen) is var said && said is < 2 or > MaxRecordBytes)
        {
            return false;
        }

        length = (int)said;
        if (seen.Length < (2 * LengthBytes) + length + Math.Max(_width, LengthBytes)
            || BinaryPrimitives.ReadUInt32BigEndian(seen[(LengthBytes + length)..]) != said
            || (isSearching && (seen[LengthBytes] != '{' || seen[LengthBytes + length - 1] != '}')))
        {
            return false;
        }

        var rest = seen[((2 * LengthBytes) + length)..];
        var end = offset + (2 * LengthBytes) + length;
        if (_width > 0)
        {
            if (rest.Length < _width)
            {
                return false;
            }

            var shift = ReadPosition(rest, _width) - (end + _width);
            if (shift != _shift && !isSearching)
            {
                return false;
            }

            _shift = shift;
            return true;
        }

        foreach (var width in Widths)
        {
            if (rest.Length >= width && ReadPosition(rest, width) == end + width)
            {
                _width = width;
                return true;
            }
        }

        return false;
    }

    private static long ReadPosition(ReadOnlySpan<byte> bytes, int width)
    {
        var position = 0UL;
        foreach (var b in bytes[..width])
        {
            position = (position << 8) | b;
        }

        return (long)position;
    }
}
