using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery;

/// <summary>How a peer made itself known on the local network.</summary>
public enum LanMeans
{
    /// <summary>A plain UDP packet, which anybody can send in anybody's name. Source: ssb-local 1.0.0.</summary>
    Plain,

    /// <summary>An encrypted UDP packet. Source: ssb-lan 1.2.3.</summary>
    Encrypted,

    /// <summary>A service of DNS-SD, <c>_ssb._tcp</c>.</summary>
    Mdns,
}

/// <summary>A peer was seen on the local network.</summary>
/// <param name="Feed">Who it says it is.</param>
/// <param name="Address">Where it says it can be reached; a link-local IPv6 host carries its zone.</param>
/// <param name="Means">How it made itself known.</param>
/// <param name="IsVerified">True when the announcement was signed by that feed. It may still be an old one, sent again by somebody else.</param>
/// <param name="Interface">Index of the network interface that it was seen on.</param>
/// <param name="Name">What it calls itself, where it tells (mDNS); null otherwise.</param>
public sealed record LanSighting(FeedId Feed, MultiserverAddress Address, LanMeans Means, bool IsVerified, int Interface, string? Name = null);

/// <summary>Takes what is seen on the local network, from whatever source.</summary>
public interface ILanSightings
{
    /// <summary>A peer was seen. Cheap, as it happens every second or so for each peer; may be called on any thread.</summary>
    void Saw(LanSighting sighting);

    /// <summary>A peer said that it goes (an mDNS goodbye). What is not told anew for a while goes by itself.</summary>
    void Gone(FeedId feed, LanMeans means);
}
