using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>A muxrpc connection as the capabilities use it: whom it leads to, and calls in their direction.</summary>
public interface IRpcSession
{
    /// <summary>The identity that the handshake proved.</summary>
    FeedId Remote { get; }

    /// <summary>Cancelled when the connection has ended, whoever ended it.</summary>
    CancellationToken Closed { get; }

    /// <summary>An async (or sync) call.</summary>
    /// <param name="method">Dotted name, such as "blobs.has".</param>
    /// <param name="args">The arguments: a JSON array in UTF-8, such as <c>["&amp;..."]</c>.</param>
    /// <param name="cancellationToken">Gives up waiting; muxrpc cannot withdraw the call.</param>
    /// <exception cref="RpcException">The peer answered with an error, or the connection was lost.</exception>
    Task<RpcBody> CallAsync(string method, ReadOnlyMemory<byte> args, CancellationToken cancellationToken);

    /// <summary>Opens a source, sink or duplex. A refusal by the peer arrives as the error of the first read.</summary>
    /// <param name="method">Dotted name, such as "blobs.createWants".</param>
    /// <param name="type">Source, sink or duplex.</param>
    /// <param name="args">The arguments: a JSON array in UTF-8.</param>
    RpcStream Open(string method, CallType type, ReadOnlyMemory<byte> args);

    /// <summary>Says goodbye and closes; after a short wait the connection is cut.</summary>
    Task CloseAsync();
}
