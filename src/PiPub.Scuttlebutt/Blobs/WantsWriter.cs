using System.Buffers;
using System.Buffers.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Blobs;

/// <summary>
/// Writes items of a <c>blobs.createWants</c> stream into one buffer that is used again and again.
/// </summary>
/// <remarks>References: SSB protocol guide, Blobs; ssb-blobs 2.0.1. An entry takes at most 75 bytes.</remarks>
public sealed class WantsWriter
{
    /// <summary>A writer with room for <see cref="EntriesPerItem"/> entries at first use.</summary>
    public WantsWriter() => _buffer = new ArrayBufferWriter<byte>(256);

    /// <summary>How many entries go into one item, so that an item stays far below 64 KiB: long lists are sent as several.</summary>
    public const int EntriesPerItem = 500;

    private readonly ArrayBufferWriter<byte> _buffer;

    /// <summary>Entries in the item being written.</summary>
    public int Count { get; private set; }

    /// <summary>Begins an item.</summary>
    public void Clear()
    {
        _buffer.ResetWrittenCount();
        Count = 0;
    }

    /// <summary>Adds a want (negative distance) or a have (size).</summary>
    public void Add(BlobId id, long number)
    {
        var span = _buffer.GetSpan(MaxEntry);
        span[0] = Count == 0 ? (byte)'{' : (byte)',';
        span[1] = (byte)'"';
        var length = 2 + id.Format(span[2..]);
        span[length++] = (byte)'"';
        span[length++] = (byte)':';
        _ = Utf8Formatter.TryFormat(number, span[length..], out var digits);
        _buffer.Advance(length + digits);
        Count++;
    }

    /// <summary>Ends the item and shows it; valid until the next <see cref="Clear"/>. Without entries it is <c>{}</c>.</summary>
    public ReadOnlyMemory<byte> End()
    {
        _buffer.Write(Count == 0 ? "{}"u8 : "}"u8);
        return _buffer.WrittenMemory;
    }

    private const int MaxEntry = 128;
}
