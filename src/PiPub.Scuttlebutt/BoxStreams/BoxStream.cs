using System.IO.Pipelines;

namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>
/// The encrypted stream that follows a handshake, as a pipe of plaintext over the transport's pipe of boxes.
/// </summary>
/// <remarks>
/// <para>References: SSB protocol guide, Box stream; pull-box-stream 1.0.13.</para>
/// <para>Each direction is a sequence of boxes: a header of 34 bytes, then a body of 1 to 4096. The header is a secretbox
/// (16-byte MAC first) of 18 bytes: the body's length (2 bytes, big-endian) and the body's MAC (16). The nonce counts up
/// by one for the header and by one for the body. A header of 18 zero bytes is the goodbye; nothing follows it.</para>
/// <para>No task and no buffer stand behind an idle stream: reading opens whole boxes as they are asked for, writing
/// collects plaintext until it is flushed, and both give their pooled memory back when it is empty.</para>
/// </remarks>
public sealed class BoxStream : IDuplexPipe, IAsyncDisposable
{
    /// <summary>Most bytes of plaintext in one box.</summary>
    public const int MaxBodyLength = 4096;

    /// <summary>Length of a header on the wire in bytes, which is also the length of a goodbye.</summary>
    public const int HeaderLength = 34;

    /// <summary>Length of a header's plaintext: the body's length (2) and MAC (16).</summary>
    internal const int HeaderPlaintextLength = 18;

    private readonly BoxStreamReader _reader;
    private readonly BoxStreamWriter _writer;

    /// <summary>Puts a box stream on a transport, which from here on belongs to it.</summary>
    /// <param name="transport">The connection, positioned behind the handshake.</param>
    /// <param name="keys">The keys that the handshake gave.</param>
    public BoxStream(IDuplexPipe transport, BoxStreamKeys keys)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(keys);
        _reader = new BoxStreamReader(transport.Input, keys.ReceiveKey, keys.ReceiveNonce);
        _writer = new BoxStreamWriter(transport.Output, keys.SendKey, keys.SendNonce);
    }

    /// <summary>
    /// What the peer says. It ends (IsCompleted) at a goodbye and at a hang-up; <see cref="EndedWithGoodbye"/> tells which.
    /// A box that cannot be opened throws a <see cref="BoxStreamException"/>, after everything before it has been read.
    /// </summary>
    public PipeReader Input => _reader;

    /// <summary>
    /// What this side says. A flush seals what was written into as few boxes as fit it and flushes the transport once.
    /// Completing without an error says goodbye and completes the transport.
    /// </summary>
    public PipeWriter Output => _writer;

    /// <summary>
    /// True once the peer said goodbye. When <see cref="Input"/> has ended without it the connection was cut, perhaps by a
    /// third party: worth a word in a log, otherwise an end like another.
    /// </summary>
    public bool EndedWithGoodbye => _reader.EndedWithGoodbye;

    /// <summary>Says goodbye, if that was not done, and completes both ends of the transport.</summary>
    public async ValueTask DisposeAsync()
    {
        await _writer.CompleteAsync();
        await _reader.CompleteAsync();
    }
}
