using System.Diagnostics.CodeAnalysis;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>An address in the book, with what this run of the box has experienced with it.</summary>
public sealed class BookedAddress
{
    internal BookedAddress(MultiserverAddress address, FeedId feed, AddressSource source) => (Address, Feed, Source) = (address, feed, source);

    /// <summary>Where.</summary>
    public MultiserverAddress Address { get; }

    /// <summary>Whom one meets there.</summary>
    public FeedId Feed { get; }

    /// <summary>Who told of it.</summary>
    public AddressSource Source { get; internal set; }

    /// <summary>When it last worked; null for never.</summary>
    public DateTimeOffset? ConnectedAt { get; internal set; }

    /// <summary>How many attempts have failed since.</summary>
    public int Failures { get; internal set; }

    /// <summary>Timestamp of the last attempt or of the connection's end, in this run; null before.</summary>
    internal long? LastAttempt { get; set; }

    /// <summary>Being dialled, or connected through this address.</summary>
    internal bool IsBusy { get; set; }

    /// <summary>False for what the configuration says anew at every start, and for the local network.</summary>
    internal bool IsKept { get; set; }

    internal bool IsDirty { get; set; }

    internal KnownAddress ToKnown() => new(Address.ToString(), Feed, Source, ConnectedAt, Failures);
}

/// <summary>
/// The addresses at which other peers may be reached: what the owner gave, what pub messages told, what invites led to.
/// Written to disk seldom and in batches, since experience with addresses changes all the time and is worth little.
/// </summary>
public sealed class AddressBook
{
    private const int MaxFromPubMessages = 1000;
    private const int MaxStaged = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, BookedAddress> _addresses = new(StringComparer.Ordinal);
    private readonly Queue<MultiserverAddress> _staged = new();
    private readonly KnownAddressesTable _table;
    private readonly FeedId _self;

    /// <summary>Reads what was kept.</summary>
    public AddressBook(KnownAddressesTable table, FeedId self)
    {
        ArgumentNullException.ThrowIfNull(table);
        _table = table;
        _self = self;
        foreach (var known in table.List())
        {
            if (MultiserverAddress.TryParse(known.Address, out var address) && address.IsDialable)
            {
                _addresses[known.Address] = new BookedAddress(address, known.Feed, known.Source)
                {
                    IsKept = true,
                    ConnectedAt = known.ConnectedAt,
                    Failures = known.Failures,
                };
            }
        }
    }

    /// <summary>All addresses at this moment.</summary>
    public IReadOnlyList<BookedAddress> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _addresses.Values];
            }
        }
    }

    /// <summary>
    /// Adds an address, or gives it a stronger source. False when it cannot be dialled or leads to this box.
    /// </summary>
    /// <param name="address">Where; the seed of an invite is left out.</param>
    /// <param name="source">Who told of it. What the network told is only taken when it is public.</param>
    /// <param name="isKept">False for what the configuration says anew at every start.</param>
    public bool Remember(MultiserverAddress address, AddressSource source, bool isKept = true)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsDialable || address.Key is not { } feed || feed == _self
            || (source == AddressSource.PubMessage && address.Scope != AddressScope.Public))
        {
            return false;
        }

        address = address.WithoutSeed();
        lock (_gate)
        {
            var text = address.ToString();
            if (!_addresses.TryGetValue(text, out var booked))
            {
                if (source == AddressSource.PubMessage && !MakeRoom())
                {
                    return false;
                }

                booked = new BookedAddress(address, feed, source);
                _addresses.Add(text, booked);
            }
            else if (source == AddressSource.Owner)
            {
                booked.Source = source;
            }

            if (isKept && source == booked.Source && source != AddressSource.LocalNetwork && (!booked.IsKept || source == AddressSource.Owner))
            {
                booked.IsKept = booked.IsDirty = true;
            }

            return true;
        }
    }

    /// <summary>
    /// Takes the address of a pub message. It is only noted here and looked at later, a few a second, as a first sync brings
    /// thousands; when too many wait, it is dropped.
    /// </summary>
    public void AddFromPubMessage(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        lock (_gate)
        {
            if (_staged.Count < MaxStaged && !_addresses.ContainsKey(address.ToString()))
            {
                _staged.Enqueue(address);
            }
        }
    }

    /// <summary>Takes up to <paramref name="count"/> of the addresses that pub messages told, and keeps them.</summary>
    internal void TakeStaged(int count)
    {
        var added = false;
        for (; count > 0; count--)
        {
            MultiserverAddress? address;
            lock (_gate)
            {
                if (!_staged.TryDequeue(out address))
                {
                    break;
                }
            }

            added |= Remember(address, AddressSource.PubMessage);
        }

        if (added)
        {
            Save();
        }
    }

    /// <summary>Forgets an address. False when it was not known.</summary>
    public bool Forget(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        lock (_gate)
        {
            var text = address.ToString();
            var known = _addresses.Remove(text);
            return _table.Remove(text) || known;
        }
    }

    /// <summary>Forgets an address that the local network alone has told of; does nothing to others.</summary>
    public void ForgetSeen(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        lock (_gate)
        {
            var text = address.ToString();
            if (_addresses.TryGetValue(text, out var booked) && booked.Source == AddressSource.LocalNetwork)
            {
                _ = _addresses.Remove(text);
            }
        }
    }

    /// <summary>The best known address of a feed: one that worked before others.</summary>
    public bool TryFind(FeedId feed, [NotNullWhen(true)] out BookedAddress? best)
    {
        best = null;
        foreach (var address in All)
        {
            if (address.Feed == feed && (best is null || (address.ConnectedAt ?? default) > (best.ConnectedAt ?? default)))
            {
                best = address;
            }
        }

        return best is not null;
    }

    /// <summary>Writes down what has changed.</summary>
    public void Save()
    {
        List<KnownAddress> changed = [];
        lock (_gate)
        {
            foreach (var address in _addresses.Values)
            {
                if (address is { IsDirty: true, IsKept: true })
                {
                    changed.Add(address.ToKnown());
                }

                address.IsDirty = false;
            }
        }

        _table.Save(changed);
    }

    /// <summary>When there are too many addresses of strangers, the one with the worst record goes; false when all have worked.</summary>
    private bool MakeRoom()
    {
        var count = 0;
        BookedAddress? worst = null;
        foreach (var address in _addresses.Values)
        {
            if (address.Source == AddressSource.PubMessage)
            {
                count++;
                if (address is { ConnectedAt: null, IsBusy: false } && (worst is null || address.Failures > worst.Failures))
                {
                    worst = address;
                }
            }
        }

        if (count < MaxFromPubMessages)
        {
            return true;
        }

        if (worst is not { Failures: > 0 })
        {
            return false;
        }

        _ = _addresses.Remove(worst.Address.ToString());
        return _table.Remove(worst.Address.ToString());
    }
}
