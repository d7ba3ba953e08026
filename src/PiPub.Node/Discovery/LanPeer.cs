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

/// <summary>An address at which somebody was seen, and when by which means.</summary>
internal sealed class SeenAddress(MultiserverAddress address, int interfaceIndex)
{
    private const int MeansCount = 3;

    private readonly long?[] _heardAt = new long?[MeansCount];
    private long? _signedAt;

    public MultiserverAddress Address => address;

    public int Interface => interfaceIndex;

    /// <summary>It is in the address book because it was seen.</summary>
    public bool IsBooked { get; set; }

    public bool IsVerified => _signedAt is not null;

    public bool IsAlive => Array.Exists(_heardAt, static at => at is not null);

    public long LastHeard => _heardAt.Max() ?? 0;

    public void Saw(LanMeans means, bool isVerified, long now)
    {
        _heardAt[(int)means] = now;
        _signedAt = isVerified ? now : _signedAt;
    }

    public bool IsSeenBy(LanMeans means) => _heardAt[(int)means] is not null;

    /// <summary>A means told that it ends.</summary>
    public void Gone(LanMeans means) => _heardAt[(int)means] = null;

    /// <summary>Forgets what was last heard before a time stamp, by each means. True when that changed anything.</summary>
    public bool Expire(long packetsBefore, long servicesBefore)
    {
        var changed = false;
        for (var means = 0; means < MeansCount; means++)
        {
            if (_heardAt[means] < (means == (int)LanMeans.Mdns ? servicesBefore : packetsBefore))
            {
                _heardAt[means] = null;
                changed = true;
            }
        }

        if (_signedAt < packetsBefore)
        {
            _signedAt = null;
            changed = true;
        }

        return changed;
    }
}
