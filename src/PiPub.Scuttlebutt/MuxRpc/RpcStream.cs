namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// One source, sink or duplex as either side holds it. Reading and writing are independent; each is for one caller at a time.
/// </summary>
/// <remarks>
/// Incoming items wait in a bounded queue; while it is full the whole connection stops being read (muxrpc has no
/// per-stream flow control). So whoever reads a stream must never wait for a write on the same connection.
/// Writing completes at once while the connection's output is below its high-water mark, and waits above it.
/// Whoever opens a stream reads it to its end or completes it: <see cref="Complete"/> on a source aborts it and drops what
/// was not read; on a duplex it ends this side only, and the other is still to be read.
/// </remarks>
public abstract class RpcStream
{
    /// <summary>Cancelled when the stream has ended in both directions or its connection has.</summary>
    public abstract CancellationToken Ended { get; }

    /// <summary>
    /// The next item, or null when the peer ended its side in order.
    /// </summary>
    /// <exception cref="RpcException">The peer ended its side with an error, or the connection was lost.</exception>
    public abstract ValueTask<RpcBody?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Takes an item that has arrived already, without waiting.</summary>
    public abstract bool TryRead(out RpcBody body);

    /// <summary>
    /// Sends an item. The bytes are copied before the returned task completes. Empty bodies are skipped: they would be a goodbye.
    /// </summary>
    /// <exception cref="RpcException">The stream was ended or the connection was lost.</exception>
    public abstract ValueTask WriteAsync(BodyType type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken);

    /// <summary>Ends this side, in order or with an error, once; later calls do nothing.</summary>
    public abstract void Complete(RpcException? error = null);
}
