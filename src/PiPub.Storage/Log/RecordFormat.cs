using System.Buffers.Binary;
using System.Runtime.InteropServices;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Log;

/// <summary>
/// How one message lies in a segment file.
/// </summary>
/// <remarks>
/// Little-endian. Frame: length of what follows the frame (4 bytes), CRC-32C of the length and what follows (4).
/// Head: form (1), flags (1; bit 0: first of its batch), received in milliseconds since 1970 (6), message id (32).
/// Form 1, <see cref="ShortForm"/>: then the value, which says the rest itself; 48 bytes around it.
/// Form 2, <see cref="LongForm"/>: author (32), previous (32), sequence (4), timestamp (8, IEEE double), then the value; 124 bytes around it.
/// </remarks>
internal static class RecordFormat
{
    /// <summary>Length and checksum.</summary>
    public const int FrameBytes = 8;

    /// <summary>Everything before the value in the short form.</summary>
    public const int ShortForm = 48;

    /// <summary>Everything before the value in the long form.</summary>
    public const int LongForm = 124;

    /// <summary>The largest value taken, far above the 8,192 code units that a feed may hold: a bound for damaged lengths.</summary>
    public const int MaxValueBytes = 1 << 20;

    private const byte FormShort = 1;
    private const byte FormLong = 2;
    private const byte FlagBatchStart = 1;
    private const int IdAt = 16;
    private const int AuthorAt = 48;
    private const int PreviousAt = 80;
    private const int SequenceAt = 112;
    private const int TimestampAt = 116;
    private const long MaxReceived = (1L << 48) - 1;

    /// <summary>The most bytes that a record for this message may need.</summary>
    public static int MaxLength(Message message) => LongForm + message.Value.Length;

    /// <summary>Writes a record and returns its length, frame included.</summary>
    public static int Write(Message message, long receivedAt, bool startsBatch, Span<byte> destination)
    {
        var value = message.Value.Span;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value.Length, MaxValueBytes, nameof(message));
        ArgumentOutOfRangeException.ThrowIfNegative(receivedAt);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(receivedAt, MaxReceived);

        var isShort = ClassicEnvelope.TryRead(value, out var said)
            && said.Author == message.Author && said.Previous == message.Previous && said.Sequence == message.Sequence
            && BitConverter.DoubleToInt64Bits(said.Timestamp) == BitConverter.DoubleToInt64Bits(message.Timestamp);
        var head = isShort ? ShortForm : LongForm;
        var record = destination[..(head + value.Length)];
        BinaryPrimitives.WriteInt64LittleEndian(record[FrameBytes..], (receivedAt << 16)
            | (uint)(startsBatch ? FlagBatchStart << 8 : 0) | (isShort ? FormShort : FormLong));
        message.Id.AsSpan().CopyTo(record[IdAt..]);
        if (!isShort)
        {
            message.Author.AsSpan().CopyTo(record[AuthorAt..]);
            message.Previous.AsSpan().CopyTo(record[PreviousAt..]);
            BinaryPrimitives.WriteInt32LittleEndian(record[SequenceAt..], message.Sequence);
            BinaryPrimitives.WriteDoubleLittleEndian(record[TimestampAt..], message.Timestamp);
        }

        value.CopyTo(record[head..]);
        BinaryPrimitives.WriteInt32LittleEndian(record, record.Length - FrameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(record));
        return record.Length;
    }

    /// <summary>
    /// The record's length by its frame, frame included; -1 when the bytes (at least <see cref="FrameBytes"/>) begin no record.
    /// </summary>
    public static int Length(ReadOnlySpan<byte> frame)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(frame);
        return length is >= ShortForm - FrameBytes and <= LongForm - FrameBytes + MaxValueBytes ? length + FrameBytes : -1;
    }

    /// <summary>Tells whether a record of the length that its frame says is whole.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> record) =>
        BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) == Checksum(record) && HeadLength(record) <= record.Length;

    /// <summary>True for the first record of a batch: all before it was flushed to the disk.</summary>
    public static bool StartsBatch(ReadOnlySpan<byte> record) => (record[FrameBytes + 1] & FlagBatchStart) != 0;

    /// <summary>Where the value begins in a whole record.</summary>
    public static int HeadLength(ReadOnlySpan<byte> record) => record[FrameBytes] switch
    {
        FormShort => ShortForm,
        FormLong => LongForm,
        _ => int.MaxValue,
    };

    /// <summary>Reads a whole record. <paramref name="value"/> is its value, in memory that the message may keep.</summary>
    /// <returns>Null when the value does not say what the short form leaves to it, which no writer does.</returns>
    public static LogRecord? Read(ReadOnlySpan<byte> record, long position, ReadOnlyMemory<byte> value)
    {
        var id = new MessageId(record.Slice(IdAt, Bytes32.Length));
        var received = (long)(MemoryMarshal.Read<ulong>(record[FrameBytes..]) >> 16);
        Message message;
        if (record[FrameBytes] == FormShort)
        {
            if (!ClassicEnvelope.TryRead(value.Span, out var said))
            {
                return null;
            }

            message = new Message(id, said.Author, said.Sequence, said.Previous, said.Timestamp, value);
        }
        else
        {
            message = new Message(
                id,
                new FeedId(record.Slice(AuthorAt, Bytes32.Length)),
                BinaryPrimitives.ReadInt32LittleEndian(record[SequenceAt..]),
                new MessageId(record.Slice(PreviousAt, Bytes32.Length)),
                BinaryPrimitives.ReadDoubleLittleEndian(record[TimestampAt..]),
                value);
        }

        return new LogRecord(message, received, position, position + record.Length);
    }

    private static uint Checksum(ReadOnlySpan<byte> record) => Crc32C.Compute(record[FrameBytes..], Crc32C.Compute(record[..4]));
}
