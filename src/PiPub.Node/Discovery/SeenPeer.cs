using System.Globalization;
using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery;

/// <summary>Somebody who was seen, in <see cref="LanPeers"/>.</summary>
internal sealed class SeenPeer(FeedId feed, long since)
{
    private const int MaxAddresses = 4;
    private const int MaxNameLength = 64;

    private string? _name;

    public FeedId Feed => feed;

    public List<SeenAddress> Addresses { get; } = new(1);

    public bool IsVerified => Addresses.Exists(static address => address.IsVerified);

    public long LastHeard
    {
        get
        {
            var last = since;
            foreach (var address in Addresses)
            {
                last = Math.Max(last, address.LastHeard);
            }

            return last;
        }
    }

    public SeenAddress? Find(MultiserverAddress address) => Addresses.Find(seen => seen.Address.Equals(address));

    /// <summary>Takes a name, or takes it away. True when it was another.</summary>
    public bool Call(string? name)
    {
        var clean = Clean(name);
        var isOther = clean != _name;
        _name = clean;
        return isOther;
    }

    /// <summary>
    /// Adds an address, if there is room: an unsigned one goes for a signed one, and no other for any. Of unsigned ones at one
    /// host there is one, or a liar could take all places with its ports.
    /// </summary>
    public bool TryAdd(SeenAddress newcomer, bool isVerified, out SeenAddress? displaced)
    {
        displaced = null;
        var where = newcomer.Address;
        if (!isVerified && Addresses.Exists(one => !one.IsVerified && one.Address.Transport == where.Transport && one.Address.Host == where.Host))
        {
            return false;
        }

        if (Addresses.Count >= MaxAddresses)
        {
            displaced = isVerified ? Addresses.Find(static one => !one.IsVerified) : null;
            if (displaced is null)
            {
                return false;
            }

            _ = Addresses.Remove(displaced);
        }

        Addresses.Add(newcomer);
        return true;
    }

    /// <summary>As it is to be shown. There is at least one address.</summary>
    /// <param name="relation">What they are to the box.</param>
    /// <param name="when">Makes a time of a time stamp.</param>
    public LanPeer Describe(LanRelation relation, Func<long, DateTimeOffset> when)
    {
        var addresses = new List<SeenAddress>(Addresses);
        addresses.Sort(static (a, b) =>
        {
            var bySignature = b.IsVerified.CompareTo(a.IsVerified);
            return bySignature != 0 ? bySignature : a.Address.Host.Contains(':').CompareTo(b.Address.Host.Contains(':'));
        });
        var means = new List<LanMeans>();
        foreach (var one in (ReadOnlySpan<LanMeans>)[LanMeans.Plain, LanMeans.Encrypted, LanMeans.Mdns])
        {
            if (addresses.Exists(address => address.IsSeenBy(one)))
            {
                means.Add(one);
            }
        }

        var best = addresses[0];
        return new LanPeer(
            feed, addresses.ConvertAll(static address => address.Address), means, best.IsVerified, relation, _name, best.Interface, when(since), when(LastHeard));
    }

    /// <summary>A name that can be printed on terminals and pages: nothing in it steers them.</summary>
    private static string? Clean(string? name)
    {
        if (string.IsNullOrWhiteSpace(name))
        {
            return null;
        }

        var clean = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                && clean.Length + rune.Utf16SequenceLength <= MaxNameLength)
            {
                clean.Append(rune.ToString());
            }
        }

        return clean.Length > 0 ? clean.ToString() : null;
    }
}

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

    public bool IsAlive => (_heardAt[0] ?? _heardAt[1] ?? _heardAt[2]) is not null;

    public long LastHeard => Math.Max(Math.Max(_heardAt[0] ?? 0, _heardAt[1] ?? 0), _heardAt[2] ?? 0);

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
