using System.Buffers.Binary;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>The nine bytes before every frame's body.</summary>
/// <param name="Type">What the body is.</param>
/// <param name="IsStream">The frame belongs to a source, sink or duplex.</param>
/// <param name="IsEnd">The frame ends its stream, or is the error that answers an async call.</param>
/// <param name="BodyLength">Bytes of body that follow.</param>
/// <param name="Number">The request: positive when its requester sends, negative when its responder does.</param>
/// <remarks>
/// byte 0: bits 0-1 body type, 0x04 end or error, 0x08 stream, the rest zero (ignored, as JavaScript does);
/// bytes 1-4: body length, unsigned, big-endian; bytes 5-8: request number, signed, big-endian.
/// The goodbye of a whole connection is nine zero bytes. JavaScript takes every frame without a body for one, so that none
/// is ever sent; but it sends one itself in the middle of a stream, when a blob's size is a multiple of 64 KiB (pull-file
/// 1.1.0 reads an empty last piece), and goes on. So here an empty frame of a request is an empty item, not a goodbye.
/// Source: packet-stream-codec 1.2.0 index.js.
/// </remarks>
public readonly record struct FrameHeader(BodyType Type, bool IsStream, bool IsEnd, uint BodyLength, int Number)
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 9;

    private const byte TypeBits = 0x03;
    private const byte EndBit = 0x04;
    private const byte StreamBit = 0x08;

    /// <summary>True for a header without a body that belongs to no request: the peer ends the whole connection.</summary>
    public bool IsGoodbye => BodyLength == 0 && Number == 0;

    /// <summary>Reads nine bytes. A body type of 3 comes out as it is and is refused by <see cref="FrameDecoder"/>.</summary>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes)
    {
        var flags = bytes[0];
        return new FrameHeader(
            (BodyType)(flags & TypeBits),
            (flags & StreamBit) != 0,
            (flags & EndBit) != 0,
            BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[5..]));
    }

    /// <summary>Writes nine bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        bytes[0] = (byte)((byte)Type | (IsEnd ? EndBit : 0) | (IsStream ? StreamBit : 0));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], BodyLength);
        BinaryPrimitives.WriteInt32BigEndian(bytes[5..], Number);
    }
}
