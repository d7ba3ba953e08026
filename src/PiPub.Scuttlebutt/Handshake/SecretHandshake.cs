using System.Buffers;
using System.IO.Pipelines;
using PiPub.Scuttlebutt.BoxStreams;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Handshake;

/// <summary>What a handshake gives: who is at the other end, proven, and the keys to talk with.</summary>
/// <param name="Remote">The other side's identity.</param>
/// <param name="Keys">The keys of the box stream that follows.</param>
public sealed record HandshakeResult(FeedId Remote, BoxStreamKeys Keys);

/// <summary>
/// The secret handshake: two identities prove themselves to each other over any byte stream, without telling a listener
/// who they are, and agree on keys. This drives either role over a pipe.
/// </summary>
/// <remarks>
/// <para>References: "Designing a Secret Handshake" (D. Tarr, 2015); SSB protocol guide, Handshake; secret-handshake 1.1.21.</para>
/// <para>Messages: 1 client to server, hello, 64 bytes: HMAC-SHA-512-256(a, network key) ‖ a. 2 server to client, hello, 64
/// bytes, likewise with b. 3 client to server, authentication, 112 bytes: a secretbox of the client's signature (64) and
/// identity (32). 4 server to client, acceptance, 80 bytes: a secretbox of the server's signature (64). The network key and
/// all keys are 32 bytes; nothing has a variable length.</para>
/// <para>A refusal has no message: the connection closes in silence, as it does after any failure here. Nothing is read
/// past message 4, as the first box may have arrived with it. Time-outs are the caller's (the JavaScript stack allows 5 s).</para>
/// </remarks>
public static class SecretHandshake
{
    /// <summary>Length of messages 1 and 2 in bytes.</summary>
    public const int HelloLength = 64;

    /// <summary>Length of message 3 in bytes.</summary>
    public const int AuthenticationLength = 112;

    /// <summary>Length of message 4 in bytes.</summary>
    public const int AcceptanceLength = 80;

    /// <summary>
    /// Dials: proves <paramref name="self"/> to <paramref name="server"/>, which must prove itself in turn.
    /// On failure both ends of the transport are completed.
    /// </summary>
    /// <exception cref="HandshakeException">It came to nothing; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The caller's time was over.</exception>
    public static Task<HandshakeResult> ConnectAsync(
        IDuplexPipe transport, KeyPair self, FeedId server, NetworkKey network, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transport);
        return RunAsync(transport, () => DialAsync(transport, self, server, network, cancellationToken));
    }

    /// <summary>
    /// Answers: learns who dialled, asks <paramref name="authorize"/> whether it may come in, and only then proves
    /// <paramref name="self"/>. On failure both ends of the transport are completed.
    /// </summary>
    /// <exception cref="HandshakeException">It came to nothing; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The caller's time was over.</exception>
    public static Task<HandshakeResult> AcceptAsync(
        IDuplexPipe transport, KeyPair self, NetworkKey network, Func<FeedId, ValueTask<bool>> authorize, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(authorize);
        return RunAsync(transport, () => AnswerAsync(transport, self, network, authorize, cancellationToken));
    }

    private static async Task<HandshakeResult> DialAsync(
        IDuplexPipe transport, KeyPair self, FeedId server, NetworkKey network, CancellationToken cancellationToken)
    {
        using var client = new SecretHandshakeClient(self, server, network);
        var message = new byte[AuthenticationLength];

        client.WriteHello(message.AsSpan(0, HelloLength));
        await SendAsync(transport.Output, message.AsMemory(0, HelloLength), cancellationToken);

        await ReceiveAsync(
            transport.Input, message.AsMemory(0, HelloLength), HandshakeFailure.HungUp, "its hello; it may belong to another network", cancellationToken);
        client.ReadHello(message.AsSpan(0, HelloLength));

        client.WriteAuthentication(message);
        await SendAsync(transport.Output, message, cancellationToken);

        await ReceiveAsync(
            transport.Input, message.AsMemory(0, AcceptanceLength), HandshakeFailure.Refused, "its acceptance; it refused us, or has another identity than was dialled", cancellationToken);
        return new HandshakeResult(server, client.ReadAcceptance(message.AsSpan(0, AcceptanceLength)));
    }

    private static async Task<HandshakeResult> AnswerAsync(
        IDuplexPipe transport, KeyPair self, NetworkKey network, Func<FeedId, ValueTask<bool>> authorize, CancellationToken cancellationToken)
    {
        using var server = new SecretHandshakeServer(self, network);
        var message = new byte[AuthenticationLength];

        await ReceiveAsync(transport.Input, message.AsMemory(0, HelloLength), HandshakeFailure.HungUp, "its hello", cancellationToken);
        server.ReadHello(message.AsSpan(0, HelloLength));

        server.WriteHello(message.AsSpan(0, HelloLength));
        await SendAsync(transport.Output, message.AsMemory(0, HelloLength), cancellationToken);

        await ReceiveAsync(transport.Input, message, HandshakeFailure.HungUp, "its authentication", cancellationToken);
        var client = server.ReadAuthentication(message);
        if (!await authorize(client).AsTask().WaitAsync(cancellationToken))
        {
            throw new HandshakeException(HandshakeFailure.Refused, $"{client} was refused.");
        }

        var keys = server.WriteAcceptance(message.AsSpan(0, AcceptanceLength));
        await SendAsync(transport.Output, message.AsMemory(0, AcceptanceLength), cancellationToken);
        return new HandshakeResult(client, keys);
    }

    private static async Task<HandshakeResult> RunAsync(IDuplexPipe transport, Func<Task<HandshakeResult>> role)
    {
        try
        {
            return await role();
        }
        catch (Exception error)
        {
            await transport.Output.CompleteAsync();
            await transport.Input.CompleteAsync();
            if (error is IOException)
            {
                throw new HandshakeException(HandshakeFailure.ConnectionLost, "The connection broke during the handshake: " + error.Message, error);
            }

            throw;
        }
    }

    private static async ValueTask SendAsync(PipeWriter output, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var flushed = await output.WriteAsync(message, cancellationToken);
        if (flushed.IsCompleted)
        {
            throw new HandshakeException(HandshakeFailure.HungUp, "The peer hung up during the handshake.");
        }
    }

    private static async ValueTask ReceiveAsync(
        PipeReader input, Memory<byte> message, HandshakeFailure failure, string what, CancellationToken cancellationToken)
    {
        var result = await input.ReadAtLeastAsync(message.Length, cancellationToken);
        var available = result.Buffer.Length;
        if (available < message.Length)
        {
            throw new HandshakeException(failure, $"The peer hung up after {available} of the {message.Length} bytes of {what}.");
        }

        // What follows stays in the reader, unexamined, for the box stream.
        var end = result.Buffer.GetPosition(message.Length);
        result.Buffer.Slice(0, end).CopyTo(message.Span);
        input.AdvanceTo(end);
    }
}
