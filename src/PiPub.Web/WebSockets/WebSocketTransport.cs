using System.IO.Pipelines;
using System.Net.WebSockets;

namespace PiPub.Web.WebSockets;

/// <summary>
/// A WebSocket as the byte stream that a handshake and a box stream run over: binary messages one after the other, cut
/// wherever it suits, their borders without meaning.
/// </summary>
/// <remarks>
/// <para>References: RFC 6455; pull-ws and multiserver 3.8.2 (plugin ws): no subprotocol, any path.</para>
/// <para>At most 64 KiB wait in either direction; beyond that the socket is not read, or the writer waits. While nothing
/// arrives no buffer is held. Reads and writes can be cancelled without harm to the socket.</para>
/// </remarks>
public sealed class WebSocketTransport : IDuplexPipe, IAsyncDisposable
{
    private const int ReceiveBufferLength = 4096;

    /// <summary>How long a peer has to take the last words and to close its side, before the connection is cut.</summary>
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(2);

    private static readonly PipeOptions Bounds = new(
        pauseWriterThreshold: 64 * 1024, resumeWriterThreshold: 32 * 1024, useSynchronizationContext: false);

    private readonly WebSocket _socket;
    private readonly Pipe _incoming = new(Bounds);
    private readonly Pipe _outgoing = new(Bounds);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _receiving;
    private readonly Task _sending;
    private int _disposed;

    /// <summary>Puts the stream on an open WebSocket, which from here on belongs to it.</summary>
    public WebSocketTransport(WebSocket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        _socket = socket;
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    /// <summary>What the peer sends. Ends when it closes; an <see cref="IOException"/> says that the connection broke.</summary>
    public PipeReader Input => _incoming.Reader;

    /// <summary>What is sent to the peer. Completing it closes this side of the WebSocket.</summary>
    public PipeWriter Output => _outgoing.Writer;

    /// <summary>Cuts the connection at once.</summary>
    public void Abort() => _socket.Abort();

    /// <summary>Sends what was written, closes in order, and after 2 s in any case.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await Output.CompleteAsync();
        await Input.CompleteAsync();
        _stop.CancelAfter(ClosingTime);
        await _sending;
        await _receiving;
        _stop.Dispose();
        _socket.Dispose();
    }

    private async Task ReceiveAsync()
    {
        Exception? broken = null;
        try
        {
            while (await ReceiveSomeAsync())
            {
            }
        }
        catch (WebSocketException error) when (error.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely)
        {
            // The connection ended without the closing words of WebSockets: an end like another.
        }
        catch (Exception error)
        {
            broken = new IOException("The WebSocket broke: " + error.Message, error);
        }

        await _incoming.Writer.CompleteAsync(broken);
    }

    private async Task<bool> ReceiveSomeAsync()
    {
        // An empty buffer waits for data without holding memory for it.
        var arrival = await _socket.ReceiveAsync(Memory<byte>.Empty, _stop.Token);
        if (arrival.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        var received = await _socket.ReceiveAsync(_incoming.Writer.GetMemory(ReceiveBufferLength), _stop.Token);
        if (received.MessageType == WebSocketMessageType.Close)
        {
            return false;
        }

        if (received.MessageType == WebSocketMessageType.Text)
        {
            throw new InvalidDataException("the peer sent text, and only binary messages carry Scuttlebutt.");
        }

        _incoming.Writer.Advance(received.Count);
        return !(await _incoming.Writer.FlushAsync()).IsCompleted;
    }

    private async Task SendAsync()
    {
        Exception? broken = null;
        try
        {
            while (await SendSomeAsync())
            {
            }

            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, _stop.Token);
            }
        }
        catch (Exception error)
        {
            // The reason arrives by the receiving side; whoever writes sees that nobody reads.
            broken = new IOException("The WebSocket broke: " + error.Message, error);
            _socket.Abort();
        }

        await _outgoing.Reader.CompleteAsync(broken);
    }

    private async Task<bool> SendSomeAsync()
    {
        var written = await _outgoing.Reader.ReadAsync();
        foreach (var part in written.Buffer)
        {
            await _socket.SendAsync(part, WebSocketMessageType.Binary, endOfMessage: true, _stop.Token);
        }

        _outgoing.Reader.AdvanceTo(written.Buffer.End);
        return !written.IsCompleted;
    }
}
