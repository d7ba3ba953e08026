using System.Buffers.Binary;
using System.Runtime.InteropServices;
using PiPub.Storage.Log;

namespace PiPub.Storage.Views;

/// <summary>
/// A few hundred index entries in order, packed into one database row: differences as variable-length numbers.
/// </summary>
/// <remarks>
/// The row's columns hold the first entry's key and position. Then for each entry: key minus the key before; position
/// minus the position before (zigzag, as it may fall when the key rises); the tag. Last a CRC-32C, 4 bytes.
/// </remarks>
internal ref struct IndexBlock
{
    /// <summary>A row of this size is stored in one piece, four to a page (SQLite file format, 1.6: at most 1,001 bytes of a key stay local).</summary>
    public const int MaxBytes = 960;

    private const int MaxEntryBytes = 24;
    private readonly Span<byte> _buffer;
    private int _length;
    private long _key;
    private long _position;

    public IndexBlock(Span<byte> buffer) => _buffer = buffer;

    public readonly bool IsEmpty => _length == 0;

    public readonly bool IsFull => _length + MaxEntryBytes + sizeof(uint) > MaxBytes;

    /// <summary>The first entry's key and position: the row's columns.</summary>
    public IndexEntry First { get; private set; }

    public void Add(in IndexEntry entry)
    {
        if (IsEmpty)
        {
            First = entry;
            (_key, _position) = (entry.Key, entry.Position);
        }

        Write((ulong)(entry.Key - _key));
        var step = entry.Position - _position;
        Write((ulong)((step << 1) ^ (step >> 63)));
        Write((ulong)entry.Tag);
        (_key, _position) = (entry.Key, entry.Position);
    }

    /// <summary>Ends the block: its bytes, and room for the next one.</summary>
    public byte[] Take()
    {
        var data = new byte[_length + sizeof(uint)];
        _buffer[.._length].CopyTo(data);
        BinaryPrimitives.WriteUInt32LittleEndian(data.AsSpan(_length), Checksum(data.AsSpan(0, _length), First));
        _length = 0;
        return data;
    }

    /// <summary>Unpacks a row behind what <paramref name="into"/> holds already.</summary>
    /// <exception cref="ViewDamagedException">The bytes are not what was written.</exception>
    public static void Read(ReadOnlySpan<byte> data, long key, long position, List<IndexEntry> into)
    {
        var body = data[..Math.Max(0, data.Length - sizeof(uint))];
        if (body.IsEmpty || BinaryPrimitives.ReadUInt32LittleEndian(data[body.Length..]) != Checksum(body, new IndexEntry(key, position)))
        {
            throw new ViewDamagedException();
        }

        while (!body.IsEmpty)
        {
            key += (long)ReadNumber(ref body);
            var step = ReadNumber(ref body);
            position += (long)(step >> 1) ^ -(long)(step & 1);
            into.Add(new IndexEntry(key, position, (int)ReadNumber(ref body)));
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> body, in IndexEntry first)
    {
        Span<long> start = [first.Key, first.Position];
        return Crc32C.Compute(body, Crc32C.Compute(MemoryMarshal.AsBytes(start)));
    }

    private static ulong ReadNumber(ref ReadOnlySpan<byte> body)
    {
        ulong number = 0;
        for (var i = 0; ; i++)
        {
            number |= (ulong)(body[i] & 0x7f) << (7 * i);
            if (body[i] < 0x80)
            {
                body = body[(i + 1)..];
                return number;
            }
        }
    }

    private void Write(ulong number)
    {
        while (number >= 0x80)
        {
            _buffer[_length++] = (byte)(number | 0x80);
            number >>= 7;
        }

        _buffer[_length++] = (byte)number;
    }
}

/// <summary>A view's bytes are not what was written. The views are made again from the log then.</summary>
internal sealed class ViewDamagedException() : IOException("The views are damaged and are being made again from the message log; try again in a while.");
