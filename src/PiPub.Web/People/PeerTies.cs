using System.Net;
using PiPub.Node.Peers;
using PiPub.Node.Replication;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Web.People;

/// <summary>What a peer is to the box.</summary>
public enum PeerTie
{
    /// <summary>Nothing yet: a room, somebody with an invite, a box that asks whether it is reached.</summary>
    Stranger,

    /// <summary>The owner's own app.</summary>
    Owner,

    /// <summary>Somebody whom the box follows.</summary>
    Member,

    /// <summary>Somebody whom members follow, directly or farther along.</summary>
    Friend,

    /// <summary>Somebody whose messages are kept privately.</summary>
    Private,
}

/// <summary>Tells why a peer is connected: what it is to the box, and from where it comes.</summary>
public sealed class PeerTies(FollowGraph graph, ReplicationScheduler replication, OwnerTable owner)
{
    /// <summary>What a peer is to the box.</summary>
    public PeerTie Of(FeedId peer) =>
        peer == owner.Owner ? PeerTie.Owner
        : graph.IsFollowing(peer) ? PeerTie.Member
        : replication.Listed().Contains(peer) ? PeerTie.Private
        : graph.Hops(peer) is > 0 ? PeerTie.Friend
        : PeerTie.Stranger;

    /// <summary>Whether the peer is in the home network; null when its address does not tell.</summary>
    public static bool? IsAtHome(PeerStatus peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return MultiserverAddress.TryParseAny(peer.Address, out var address) ? PeerHost.ScopeOf(address.Host) != AddressScope.Public
            : IPEndPoint.TryParse(peer.Address, out var end) ? PeerHost.ScopeOf(end.Address) != AddressScope.Public
            : null;
    }
}
