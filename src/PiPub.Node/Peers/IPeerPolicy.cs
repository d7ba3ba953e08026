using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <summary>What becomes of a peer whose identity is proven.</summary>
public enum PeerAdmission
{
    /// <summary>Turned away in the handshake: the box blocks it.</summary>
    Refused,

    /// <summary>A peer like others.</summary>
    Peer,

    /// <summary>The key is that of an invite: it may use it, and nothing else.</summary>
    Invite,
}

/// <summary>Who may be connected with this box, and whom it seeks: what the social graph and the invites know of it.</summary>
public interface IPeerPolicy
{
    /// <summary>Raised when the box begins to block a feed; its connections end then.</summary>
    event Action<FeedId>? Blocked;

    /// <summary>Decides while the peer waits in the handshake, so within its few seconds.</summary>
    /// <param name="remote">The identity that the handshake has proven, or that is to be dialled.</param>
    /// <param name="isOutgoing">True before dialling.</param>
    /// <param name="cancellationToken">Cancelled when the handshake's time is over.</param>
    ValueTask<PeerAdmission> AdmitAsync(FeedId remote, bool isOutgoing, CancellationToken cancellationToken);

    /// <summary>
    /// How far away a feed is in the social graph (1 is followed by the box), or null when it is not in it or blocked. Addresses
    /// that the network told of are only dialled when their feed is in it.
    /// </summary>
    int? HopsOf(FeedId feed);
}
