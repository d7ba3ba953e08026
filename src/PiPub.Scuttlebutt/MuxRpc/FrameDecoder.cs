using System.Buffers;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>A whole frame. <see cref="Body"/> is an array of its own, of exactly its length; null for a goodbye.</summary>
public readonly record struct Frame(FrameHeader Header, byte[]? Body);

/// <summary>
/// Cuts a byte stream, arriving in any pieces, into frames.
/// </summary>
/// <remarks>
/// Bytes are taken as they come, so that nothing waits in the transport's buffers for the rest of a long body; and a body's
/// array grows with what has arrived, from at most 64 KiB, so that announcing a length costs this side nothing.
/// A frame of up to 64 KiB costs one array. Source: packet-stream-codec 1.2.0, with the limits that it lacks.
/// </remarks>
public sealed class FrameDecoder(MuxRpcLimits limits)
{
    private const int FirstPiece = 64 * 1024;

    private FrameHeader _header;
    private byte[]? _body;
    private int _filled;

    /// <summary>True between frames: a stream that ends elsewhere was cut off.</summary>
    public bool IsBetweenFrames => _body is null;

    /// <summary>
    /// Takes bytes from the front of <paramref name="buffer"/>. True with a whole frame; false when more bytes are needed,
    /// with fewer than nine left in the buffer.
    /// </summary>
    /// <exception cref="RpcProtocolException">The length is beyond the limits or the body type is none.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out Frame frame)
    {
        frame = default;
        if (_body is null)
        {
            if (buffer.Length < FrameHeader.Length)
            {
                return false;
            }

            _header = ReadHeader(buffer);
            buffer = buffer.Slice(FrameHeader.Length);
            if (_header.IsGoodbye)
            {
                frame = new Frame(_header, null);
                return true;
            }

            Check(_header);
            _body = NewArray(Math.Min((int)_header.BodyLength, FirstPiece));
            _filled = 0;
        }

        while (Fill(ref buffer))
        {
            if (_filled == _header.BodyLength)
            {
                frame = new Frame(_header, _body);
                _body = null;
                return true;
            }

            Grow();
        }

        return false;
    }

    private static FrameHeader ReadHeader(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.FirstSpan.Length >= FrameHeader.Length)
        {
            return FrameHeader.Read(buffer.FirstSpan);
        }

        Span<byte> bytes = stackalloc byte[FrameHeader.Length];
        buffer.Slice(0, FrameHeader.Length).CopyTo(bytes);
        return FrameHeader.Read(bytes);
    }

    private static byte[] NewArray(int length) =>
        length >= 2048 ? GC.AllocateUninitializedArray<byte>(length) : new byte[length];

    /// <summary>Copies what there is; true when the array is full.</summary>
    private bool Fill(ref ReadOnlySequence<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, _body!.Length - _filled);
        buffer.Slice(0, count).CopyTo(_body.AsSpan(_filled));
        buffer = buffer.Slice(count);
        _filled += count;
        return _filled == _body.Length;
    }

    private void Grow()
    {
        var larger = NewArray((int)Math.Min(_header.BodyLength, 2L * _body!.Length));
        _body.AsSpan(0, _filled).CopyTo(larger);
        _body = larger;
    }

    private void Check(in FrameHeader header)
    {
        var limit = header.Type switch
        {
            BodyType.Binary => limits.MaxBinaryBody,
            BodyType.Utf8 or BodyType.Json => limits.MaxTextBody,
            _ => throw new RpcProtocolException("the peer sent a frame whose body is of no known type"),
        };
        if (header.BodyLength > (uint)limit)
        {
            throw new RpcProtocolException($"the peer announced a body of {header.BodyLength} bytes; at most {limit} are taken");
        }
    }
}
