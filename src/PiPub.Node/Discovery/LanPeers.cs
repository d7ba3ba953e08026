using System.Diagnostics.CodeAnalysis;
using PiPub.Node.Peers;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Discovery;

/// <summary>
/// Who is on the local network now. Friends (whoever is within the box's hops) get their addresses into the address book, from which
/// they are dialled, for as long as they are seen; strangers are only listed, and become friends when the box begins to follow them.
/// </summary>
/// <remarks>
/// Bounded in every way, since anybody can announce anything: 256 peers, of whom friends displace strangers and signed ones
/// unsigned ones; eight strangers at one host; four addresses a peer, of which no more than one unsigned at the same host.
/// An address that its owner signed for keeps unsigned ones from being dialled.
/// </remarks>
public sealed class LanPeers : ILanSightings, IDisposable
{
    private const int MaxPeers = 256;
    private const int MaxStrangersAtHost = 8;
    private const int FriendWeight = 2;

    /// <summary>A service of DNS-SD tells when it goes; this is for when that was not heard. Twice the usual life of such a record (RFC 6762, section 10).</summary>
    private static readonly TimeSpan ServiceSilence = TimeSpan.FromMinutes(150);

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, SeenPeer> _entries = [];
    private readonly FollowGraph _graph;
    private readonly AddressBook _book;
    private readonly Neighbourhood _neighbourhood;
    private readonly TimeProvider _time;

    /// <summary>Nobody is seen yet.</summary>
    public LanPeers(FollowGraph graph, AddressBook book, Neighbourhood neighbourhood, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(graph);
        (_graph, _book, _neighbourhood, _time) = (graph, book, neighbourhood, time);
        graph.HopsChanged += Rejudge;
    }

    /// <summary>Raised, on whatever thread, when somebody has come, gone, or is to be reached in another way. Must return at once.</summary>
    public event Action? Changed;

    /// <inheritdoc/>
    public void Saw(LanSighting sighting)
    {
        ArgumentNullException.ThrowIfNull(sighting);
        var changed = false;
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            if (!_entries.TryGetValue(sighting.Feed, out var entry))
            {
                if (sighting.Feed == _graph.Box || !TryPlace(sighting, out _) || !MakeRoom(sighting))
                {
                    return;
                }

                entry = new SeenPeer(sighting.Feed, now);
                _entries.Add(sighting.Feed, entry);
            }

            changed = Update(entry, sighting, now);
        }

        Tell(changed);
    }

    /// <inheritdoc/>
    public void Gone(FeedId feed, LanMeans means)
    {
        var changed = false;
        lock (_gate)
        {
            if (_entries.TryGetValue(feed, out var entry))
            {
                foreach (var address in entry.Addresses)
                {
                    changed |= address.IsSeenBy(means);
                    address.Gone(means);
                }

                if (means == LanMeans.Mdns)
                {
                    changed |= entry.Call(null);
                }

                Sweep(entry);
            }
        }

        Tell(changed);
    }

    /// <summary>Lets those go who were not heard for long. To be called every few seconds.</summary>
    public void Expire()
    {
        var changed = false;
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            var packetsBefore = now - Ticks(LanListener.Silence);
            var servicesBefore = now - Ticks(ServiceSilence);
            foreach (var entry in _entries.Values)
            {
                var entryChanged = false;
                foreach (var address in entry.Addresses)
                {
                    entryChanged |= address.Expire(packetsBefore, servicesBefore);
                }

                if (entryChanged)
                {
                    Sweep(entry);
                    changed = true;
                }
            }
        }

        Tell(changed);
    }

    /// <summary>The network is another: lets those addresses go which cannot be there any more.</summary>
    public void Recheck()
    {
        var changed = false;
        lock (_gate)
        {
            foreach (var entry in _entries.Values)
            {
                foreach (var address in entry.Addresses)
                {
                    if (!_neighbourhood.TryPlace(address.Address, address.Interface, out _))
                    {
                        address.Gone(LanMeans.Plain);
                        address.Gone(LanMeans.Encrypted);
                        address.Gone(LanMeans.Mdns);
                        changed = true;
                    }
                }

                Sweep(entry);
            }
        }

        Tell(changed);
    }

    /// <summary>Who is there, the box's members first, then friends, and strangers last.</summary>
    public IReadOnlyList<LanPeer> Snapshot()
    {
        var all = new List<LanPeer>();
        lock (_gate)
        {
            var (now, utc) = (_time.GetTimestamp(), _time.GetUtcNow());
            foreach (var entry in _entries.Values)
            {
                all.Add(entry.Describe(RelationOf(entry.Feed), at => utc - _time.GetElapsedTime(at, now)));
            }
        }

        all.Sort(static (a, b) =>
        {
            var byRelation = Rank(a.Relation).CompareTo(Rank(b.Relation));
            return byRelation != 0 ? byRelation : a.FirstSeen.CompareTo(b.FirstSeen);
        });
        return all;

        static int Rank(LanRelation relation) => relation switch
        {
            LanRelation.Member => 0,
            LanRelation.Friend => 1,
            LanRelation.Stranger => 2,
            _ => 3,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _graph.HopsChanged -= Rejudge;

    private bool Update(SeenPeer entry, LanSighting sighting, long now)
    {
        var changed = false;
        if (sighting.Name is { } name)
        {
            changed = entry.Call(name);
        }

        var seen = entry.Find(sighting.Address);
        if (seen is null)
        {
            if (!TryPlace(sighting, out var placed))
            {
                return changed;
            }

            seen = entry.Find(placed);
            if (seen is null)
            {
                if (!entry.TryAdd(new SeenAddress(placed, sighting.Interface), sighting.IsVerified, out var displaced))
                {
                    return changed;
                }

                if (displaced is not null)
                {
                    Unbook(displaced);
                }

                seen = entry.Find(placed)!;
                changed = true;
            }
        }

        var (wasSeen, wasVerified) = (seen.IsSeenBy(sighting.Means), seen.IsVerified);
        seen.Saw(sighting.Means, sighting.IsVerified, now);
        changed |= !wasSeen || wasVerified != seen.IsVerified;
        if (changed)
        {
            WriteInBook(entry);
        }

        return changed;
    }

    /// <summary>What comes from packets was judged already; other sources are judged here.</summary>
    private bool TryPlace(LanSighting sighting, [NotNullWhen(true)] out MultiserverAddress? placed)
    {
        placed = null;
        return sighting.Address.Key == sighting.Feed && _neighbourhood.TryPlace(sighting.Address, sighting.Interface, out placed);
    }

    /// <summary>Room in the table: the one who matters least and was heard longest ago goes, if they matter less than the newcomer.</summary>
    private bool MakeRoom(LanSighting newcomer)
    {
        var weight = Weight(newcomer.Feed, newcomer.IsVerified);
        var strangersThere = 0;
        var (least, leastWeight) = ((SeenPeer?)null, weight);
        foreach (var entry in _entries.Values)
        {
            strangersThere += weight < FriendWeight && entry.Addresses.Exists(address => address.Address.Host == newcomer.Address.Host) ? 1 : 0;
            var its = Weight(entry.Feed, entry.IsVerified);
            if (its < leastWeight || (least is not null && its == leastWeight && entry.LastHeard < least.LastHeard))
            {
                (least, leastWeight) = (entry, its);
            }
        }

        if (strangersThere >= MaxStrangersAtHost)
        {
            return false;
        }

        if (_entries.Count < MaxPeers)
        {
            return true;
        }

        if (least is null)
        {
            return false;
        }

        least.Addresses.ForEach(Unbook);
        return _entries.Remove(least.Feed);
    }

    private int Weight(FeedId feed, bool isVerified) => (_graph.Hops(feed) is > 0 ? FriendWeight : 0) + (isVerified ? 1 : 0);

    /// <summary>Takes away the addresses that are not seen any more, and the peer with the last of them.</summary>
    private void Sweep(SeenPeer entry)
    {
        _ = entry.Addresses.RemoveAll(address =>
        {
            if (!address.IsAlive)
            {
                Unbook(address);
            }

            return !address.IsAlive;
        });
        if (entry.Addresses.Count == 0)
        {
            _ = _entries.Remove(entry.Feed);
        }

        WriteInBook(entry);
    }

    private void WriteInBook(SeenPeer entry)
    {
        var isFriend = _graph.Hops(entry.Feed) is > 0;
        var isSigned = entry.IsVerified;
        foreach (var address in entry.Addresses)
        {
            if (!isFriend || (isSigned && !address.IsVerified))
            {
                Unbook(address);
            }
            else if (!address.IsBooked)
            {
                address.IsBooked = _book.Remember(address.Address, AddressSource.LocalNetwork, isKept: false);
            }
        }
    }

    private void Unbook(SeenAddress address)
    {
        if (address.IsBooked)
        {
            address.IsBooked = false;
            _book.ForgetSeen(address.Address);
        }
    }

    private void Rejudge(IReadOnlyList<HopsChange> changes)
    {
        var changed = false;
        lock (_gate)
        {
            foreach (var change in changes)
            {
                if (_entries.TryGetValue(change.Feed, out var entry))
                {
                    WriteInBook(entry);
                    changed = true;
                }
            }
        }

        Tell(changed);
    }

    private LanRelation RelationOf(FeedId feed) => _graph.IsBlocking(feed) ? LanRelation.Blocked : _graph.Hops(feed) switch
    {
        1 => LanRelation.Member,
        > 1 => LanRelation.Friend,
        _ => LanRelation.Stranger,
    };

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);

    private void Tell(bool changed)
    {
        if (changed)
        {
            Changed?.Invoke();
        }
    }
}
