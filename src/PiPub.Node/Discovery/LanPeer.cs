using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery;

/// <summary>What somebody on the local network is to the box.</summary>
public enum LanRelation
{
    /// <summary>Outside of the social graph: shown, and never dialled.</summary>
    Stranger,

    /// <summary>Within the hops that the box replicates.</summary>
    Friend,

    /// <summary>Followed by the box itself.</summary>
    Member,

    /// <summary>Blocked by the box.</summary>
    Blocked,
}

/// <summary>Somebody who is on the local network now.</summary>
/// <param name="Feed">Who, as they say.</param>
/// <param name="Addresses">Where, the best first: signed for, then IPv4.</param>
/// <param name="Means">How they made themselves known.</param>
/// <param name="IsVerified">True when an address was signed for by <paramref name="Feed"/>.</param>
/// <param name="Relation">What they are to the box.</param>
/// <param name="Name">What they call themselves, without control characters; null when they do not say.</param>
/// <param name="Interface">Index of the interface of the best address.</param>
/// <param name="FirstSeen">Since when they have been there.</param>
/// <param name="LastSeen">When they were last heard.</param>
public sealed record LanPeer(
    FeedId Feed,
    IReadOnlyList<MultiserverAddress> Addresses,
    IReadOnlyList<LanMeans> Means,
    bool IsVerified,
    LanRelation Relation,
    string? Name,
    int Interface,
    DateTimeOffset FirstSeen,
    DateTimeOffset LastSeen);
