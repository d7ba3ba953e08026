using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Lan;

/// <summary>What came of reading a discovery packet.</summary>
public enum LanReading
{
    /// <summary>Somebody announced where they can be reached.</summary>
    Announced,

    /// <summary>One of our own packets, come back.</summary>
    Own,

    /// <summary>Not a packet of this kind.</summary>
    Malformed,

    /// <summary>Longer than any that is read.</summary>
    Oversized,

    /// <summary>Encrypted with another key than this network's.</summary>
    OtherNetwork,
}

/// <summary>Somebody announced on the local network where they can be reached.</summary>
/// <param name="Feed">Who, as they say.</param>
/// <param name="Addresses">Where, as they say: at least one, each leading to <paramref name="Feed"/>, without seeds.</param>
/// <param name="IsVerified">True when signed by that feed. Nothing says when: it may be an old packet, sent again by somebody else.</param>
public sealed record LanAnnouncement(FeedId Feed, IReadOnlyList<MultiserverAddress> Addresses, bool IsVerified)
{
    /// <summary>The longest packet that is read, in bytes. Real ones are below 400.</summary>
    public const int MaxPacketLength = 2048;

    /// <summary>No more addresses than this are taken from one packet.</summary>
    public const int MaxAddresses = 8;

    /// <summary>
    /// Finds who announces: the key of the first layer named shs, whatever else the list holds. Then keeps what can be dialled
    /// and leads there. Source: ssb-ref 2.16.0 (getKeyFromAddress).
    /// </summary>
    internal static (FeedId Feed, IReadOnlyList<MultiserverAddress> Addresses)? Of(IReadOnlyList<MultiserverAddress> list)
    {
        FeedId? feed = null;
        var addresses = new List<MultiserverAddress>(Math.Min(list.Count, MaxAddresses));
        foreach (var address in list)
        {
            feed ??= address.Key;
            if (feed is not null && address.IsDialable && address.Key == feed && addresses.Count < MaxAddresses)
            {
                addresses.Add(address.WithoutSeed());
            }
        }

        return feed is { } who && addresses.Count > 0 ? (who, addresses) : null;
    }
}
