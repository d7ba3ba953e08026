using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>
/// The sending half: plaintext waits in pooled blocks of one box each until a flush seals it straight into the transport.
/// The format is described at <see cref="BoxStream"/>.
/// </summary>
internal sealed class BoxStreamWriter(PipeWriter transport, Bytes32 key, BoxNonce nonce) : PipeWriter
{
    private readonly List<Block> _full = [];
    private readonly Bytes32 _key = key;
    private BoxNonce _nonce = nonce;
    private Block _current;
    private long _unflushed;
    private bool _completed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _unflushed;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _current.Bytes.AsMemory(_current.Length);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureRoom(sizeHint);
        return _current.Bytes.AsSpan(_current.Length);
    }

    public override void Advance(int bytes)
    {
        if (bytes < 0 || _current.Bytes is null || bytes > _current.Bytes.Length - _current.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(bytes), "More was written than was asked for.");
        }

        _current.Length += bytes;
        _unflushed += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        Seal();
        return transport.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => transport.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        if (Finish(exception))
        {
            transport.Complete(exception);
        }
    }

    public override ValueTask CompleteAsync(Exception? exception = null) =>
        Finish(exception) ? transport.CompleteAsync(exception) : default;

    /// <summary>Seals the last words and the goodbye; after an error nothing more is said.</summary>
    private bool Finish(Exception? exception)
    {
        if (_completed)
        {
            return false;
        }

        if (exception is null)
        {
            Seal();
            SealGoodbye();
        }

        _completed = true;
        ReturnBlocks();
        return true;
    }

    private void EnsureRoom(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        ThrowIfCompleted();
        if (_current.Bytes is { } bytes && bytes.Length - _current.Length >= Math.Max(sizeHint, 1))
        {
            return;
        }

        // A block is a box, so that sealing never gathers. Only a writer that insists on more in one piece gets a larger one.
        var next = ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, BoxStream.MaxBodyLength));
        if (_current.Length > 0)
        {
            _full.Add(_current);
        }
        else if (_current.Bytes is not null)
        {
            ArrayPool<byte>.Shared.Return(_current.Bytes);
        }

        _current = new Block { Bytes = next };
    }

    private void Seal()
    {
        foreach (var block in _full)
        {
            SealBlock(block.Bytes.AsSpan(0, block.Length));
        }

        if (_current.Length > 0)
        {
            SealBlock(_current.Bytes.AsSpan(0, _current.Length));
        }

        ReturnBlocks();
        _unflushed = 0;
    }

    private void SealBlock(ReadOnlySpan<byte> plaintext)
    {
        while (!plaintext.IsEmpty)
        {
            var length = Math.Min(plaintext.Length, BoxStream.MaxBodyLength);
            SealBox(plaintext[..length]);
            plaintext = plaintext[length..];
        }
    }

    private void SealBox(ReadOnlySpan<byte> body)
    {
        var length = BoxStream.HeaderLength + body.Length;
        var wire = transport.GetSpan(length)[..length];
        Span<byte> header = stackalloc byte[BoxStream.HeaderPlaintextLength];
        var headerNonce = _nonce;
        _nonce.Increment();
        BinaryPrimitives.WriteUInt16BigEndian(header, (ushort)body.Length);
        Sodium.SecretBox(body, _nonce.AsSpan(), _key.AsSpan(), header[2..], wire[BoxStream.HeaderLength..]);
        Sodium.SecretBox(header, headerNonce.AsSpan(), _key.AsSpan(), wire[..Sodium.MacBytes], wire[Sodium.MacBytes..BoxStream.HeaderLength]);
        _nonce.Increment();
        transport.Advance(length);
    }

    private void SealGoodbye()
    {
        var wire = transport.GetSpan(BoxStream.HeaderLength)[..BoxStream.HeaderLength];
        Span<byte> header = stackalloc byte[BoxStream.HeaderPlaintextLength];
        header.Clear();
        Sodium.SecretBox(header, _nonce.AsSpan(), _key.AsSpan(), wire[..Sodium.MacBytes], wire[Sodium.MacBytes..]);
        transport.Advance(BoxStream.HeaderLength);
    }

    private void ReturnBlocks()
    {
        foreach (var block in _full)
        {
            ArrayPool<byte>.Shared.Return(block.Bytes);
        }

        _full.Clear();
        if (_current.Bytes is not null)
        {
            ArrayPool<byte>.Shared.Return(_current.Bytes);
        }

        _current = default;
    }

    private void ThrowIfCompleted()
    {
        if (_completed)
        {
            throw new InvalidOperationException("Nothing can be written after the end.");
        }
    }

    private struct Block
    {
        public byte[] Bytes;
        public int Length;
    }
}
