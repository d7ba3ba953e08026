using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>
/// The receiving half: opens whole boxes out of the transport's buffer when the reader asks for more, without a task of its own.
/// The format is described at <see cref="BoxStream"/>.
/// </summary>
/// <remarks>
/// Boxes are opened only once everything opened before has been examined, so at most one read's worth of plaintext waits
/// besides what the reader itself chooses to keep.
/// </remarks>
internal sealed class BoxStreamReader(PipeReader transport, Bytes32 key, BoxNonce nonce) : PipeReader
{
    /// <summary>Plaintext opened in one go; the rest waits in the transport, whose back-pressure it is.</summary>
    private const int MaxOpenedAtOnce = 16 * BoxStream.MaxBodyLength;

    private readonly PlaintextBuffer _plaintext = new();
    private readonly Bytes32 _key = key;
    private BoxNonce _nonce = nonce;
    private BodyMac _bodyMac;
    private int _bodyLength;
    private long _examined;
    private int _cancelled;
    private bool _reading;
    private bool _ended;
    private bool _completed;
    private BoxStreamException? _fault;

    public bool EndedWithGoodbye { get; private set; }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfNotReadable();
        while (!TryReadOpened(out result))
        {
            if (!transport.TryRead(out var sealedBytes))
            {
                return false;
            }

            Take(sealedBytes);
        }

        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfNotReadable();
        ReadResult result;
        while (!TryReadOpened(out result))
        {
            Take(await transport.ReadAsync(cancellationToken));
        }

        return result;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_reading)
        {
            throw new InvalidOperationException("There is no read to advance from.");
        }

        var consumedBytes = _plaintext.OffsetOf(consumed);
        var examinedBytes = _plaintext.OffsetOf(examined);
        if (consumedBytes < 0 || examinedBytes < consumedBytes || examinedBytes > _plaintext.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(examined), "The position lies outside of what was read.");
        }

        _plaintext.Consume(consumed);
        _examined = examinedBytes - consumedBytes;
        _reading = false;
    }

    public override void CancelPendingRead()
    {
        _ = Interlocked.Exchange(ref _cancelled, 1);
        transport.CancelPendingRead();
    }

    public override void Complete(Exception? exception = null)
    {
        if (Finish())
        {
            transport.Complete(exception);
        }
    }

    public override ValueTask CompleteAsync(Exception? exception = null) =>
        Finish() ? transport.CompleteAsync(exception) : default;

    private bool Finish()
    {
        if (_completed)
        {
            return false;
        }

        _completed = true;
        _plaintext.Clear();
        return true;
    }

    private bool TryReadOpened(out ReadResult result)
    {
        var isCancelled = Interlocked.Exchange(ref _cancelled, 0) != 0;
        if (isCancelled || _ended || _plaintext.Length > _examined)
        {
            _reading = true;
            result = new ReadResult(_plaintext.Sequence, isCancelled, _ended);
            return true;
        }

        result = default;
        return _fault is null ? false : throw _fault;
    }

    private void Take(ReadResult sealedBytes)
    {
        var rest = sealedBytes.Buffer;
        var moreToOpen = Open(ref rest);
        transport.AdvanceTo(rest.Start, moreToOpen ? rest.Start : rest.End);
        if (sealedBytes.IsCompleted && !moreToOpen && _fault is null)
        {
            _ended = true;
        }
    }

    /// <summary>Opens the whole boxes at the beginning of <paramref name="bytes"/>; true when it stopped because it was enough.</summary>
    private bool Open(ref ReadOnlySequence<byte> bytes)
    {
        for (var opened = 0; opened < MaxOpenedAtOnce;)
        {
            if (_bodyLength == 0)
            {
                if (bytes.Length < BoxStream.HeaderLength || !OpenHeader(bytes.Slice(0, BoxStream.HeaderLength)))
                {
                    return false;
                }

                bytes = bytes.Slice(BoxStream.HeaderLength);
            }

            if (bytes.Length < _bodyLength || !OpenBody(bytes))
            {
                return false;
            }

            bytes = bytes.Slice(_bodyLength);
            opened += _bodyLength;
            _bodyLength = 0;
        }

        return true;
    }

    private bool OpenHeader(ReadOnlySequence<byte> box)
    {
        Span<byte> copy = stackalloc byte[BoxStream.HeaderLength];
        Span<byte> header = stackalloc byte[BoxStream.HeaderPlaintextLength];
        box.CopyTo(copy);
        if (!Sodium.TryOpenSecretBox(copy[..Sodium.MacBytes], copy[Sodium.MacBytes..], _nonce.AsSpan(), _key.AsSpan(), header))
        {
            return Fail("A header of the encrypted stream is not authentic.");
        }

        _nonce.Increment();
        if (header.IndexOfAnyExcept((byte)0) < 0)
        {
            EndedWithGoodbye = _ended = true;
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(header);
        if (length is 0 or > BoxStream.MaxBodyLength)
        {
            return Fail($"A header of the encrypted stream announces {length} bytes; 1 to {BoxStream.MaxBodyLength} are allowed.");
        }

        header[2..].CopyTo(_bodyMac);
        _bodyLength = length;
        return true;
    }

    private bool OpenBody(ReadOnlySequence<byte> bytes)
    {
        var plaintext = _plaintext.Reserve(_bodyLength, bytes.Length);
        var cipher = bytes.FirstSpan;
        if (cipher.Length < _bodyLength)
        {
            // Spread over segments of the transport: gathered where it is then opened in place.
            bytes.Slice(0, _bodyLength).CopyTo(plaintext);
            cipher = plaintext;
        }

        if (!Sodium.TryOpenSecretBox(_bodyMac, cipher[.._bodyLength], _nonce.AsSpan(), _key.AsSpan(), plaintext))
        {
            _plaintext.Trim();
            return Fail("A body of the encrypted stream is not authentic.");
        }

        _nonce.Increment();
        _plaintext.Commit(_bodyLength);
        return true;
    }

    private bool Fail(string message)
    {
        _fault = new BoxStreamException(message);
        return false;
    }

    private void ThrowIfNotReadable()
    {
        if (_completed || _reading)
        {
            throw new InvalidOperationException(_completed ? "Nothing can be read after completion." : "The previous read was not advanced.");
        }
    }

    [InlineArray(Sodium.MacBytes)]
    private struct BodyMac
    {
        private byte _first;
    }
}
