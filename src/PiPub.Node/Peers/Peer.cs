using System.Net;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>A peer that is connected now, its handshake done and its right to be here checked.</summary>
/// <param name="Session">The muxrpc connection.</param>
/// <param name="IsOutgoing">True when this box dialled: it is then the handshake's client, and the one that opens EBT.</param>
/// <param name="Address">The multiserver address dialled, or the remote end point as text.</param>
/// <param name="ConnectedAt">When the handshake was done.</param>
public sealed record Peer(IRpcSession Session, bool IsOutgoing, string Address, DateTimeOffset ConnectedAt)
{
    /// <summary>The peer's identity.</summary>
    public FeedId Id => Session.Remote;

    /// <summary>The IP address of the other end, as seen from here; null when there is none.</summary>
    public IPAddress? RemoteAddress { get; init; }

    /// <summary>The IP address of this end; null when there is none or it is not known.</summary>
    public IPAddress? LocalAddress { get; init; }
}

/// <summary>
/// What a capability does with every peer for as long as it is connected (replicate, exchange wants, ping).
/// Not started for invite connections and the owner's own tools.
/// </summary>
public interface IPeerService
{
    /// <summary>Runs until its work is done or <paramref name="connectionEnded"/> is cancelled. What it throws is logged, and ends only itself.</summary>
    Task RunAsync(Peer peer, CancellationToken connectionEnded);
}
