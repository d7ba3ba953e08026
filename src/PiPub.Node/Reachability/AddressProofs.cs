using System.Diagnostics.CodeAnalysis;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Reachability;

/// <summary>What is known of an address by trying.</summary>
/// <param name="IsProven">Somebody outside has come in by it within the life of a proof, and nobody has failed since.</param>
/// <param name="ProvenAt">When somebody last came in by it; null for never.</param>
/// <param name="ProvenBy">Who that was; null for a peer that came of itself.</param>
/// <param name="Provers">How many different peers have come in by it within the life of a proof.</param>
/// <param name="HasFailed">The last who tried could not come in.</param>
/// <param name="Failures">How many different peers have tried in vain since it last worked.</param>
public sealed record ProofState(bool IsProven, DateTimeOffset? ProvenAt, FeedId? ProvenBy, int Provers, bool HasFailed, int Failures)
{
    /// <summary>Nobody has tried.</summary>
    public static ProofState Untried { get; } = new(false, null, null, 0, false, 0);
}

/// <summary>
/// Remembers which of the box's addresses work. A proof goes stale when nobody renews it; one failure after a proof is only
/// believed of a second peer, where there is a second, since the first may have a bad connection of its own.
/// </summary>
public sealed class AddressProofs(ReachOptions options, TimeProvider time)
{
    private const int MaxAddresses = 64;
    private const int MaxProvers = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<InviteAddress, Entry> _entries = [];

    /// <summary>What is known of an address.</summary>
    public ProofState StateOf(InviteAddress address)
    {
        lock (_gate)
        {
            if (!TryFind(address, out var entry))
            {
                return ProofState.Untried;
            }

            var now = time.GetUtcNow();
            var isFresh = entry.ProvenAt is { } at && now - at < options.ProofLife;
            return new ProofState(
                isFresh && !entry.HasFailed,
                entry.ProvenAt,
                entry.ProvenBy,
                entry.Provers.Values.Count(seen => now - seen < options.ProofLife),
                entry.HasFailed,
                entry.FailedBy.Count);
        }
    }

    /// <summary>Somebody came in by an address. True when that was not known before.</summary>
    /// <param name="address">Which.</param>
    /// <param name="who">Who came.</param>
    /// <param name="wasAsked">True when it came because it was asked to.</param>
    public bool Prove(InviteAddress address, FeedId who, bool wasAsked)
    {
        lock (_gate)
        {
            var entry = FindOrAdd(address);
            var now = time.GetUtcNow();
            var isNews = entry.HasFailed || entry.ProvenAt is not { } before || now - before >= options.ProofLife;
            entry.ProvenAt = now;
            entry.ProvenBy = wasAsked ? who : null;
            entry.HasFailed = entry.IsDoubted = entry.IsStale = false;
            entry.FailedBy.Clear();
            if (entry.Provers.Count >= MaxProvers && !entry.Provers.ContainsKey(who))
            {
                _ = entry.Provers.Remove(entry.Provers.MinBy(static prover => prover.Value).Key);
            }

            entry.Provers[who] = now;
            return isNews;
        }
    }

    /// <summary>A peer that was asked could not come in. True when the address is now held not to work, and was not before.</summary>
    /// <param name="address">Which.</param>
    /// <param name="who">Who tried.</param>
    /// <param name="isLastWord">False while another peer can be asked to try, too.</param>
    public bool Fail(InviteAddress address, FeedId who, bool isLastWord)
    {
        lock (_gate)
        {
            var entry = FindOrAdd(address);
            _ = entry.FailedBy.Count < MaxProvers && entry.FailedBy.Add(who);
            entry.IsStale = false;
            var isProven = !entry.HasFailed && entry.ProvenAt is { } at && time.GetUtcNow() - at < options.ProofLife;
            if (isProven && !isLastWord && entry.FailedBy.Count < 2)
            {
                entry.IsDoubted = true;
                return false;
            }

            var isNews = !entry.HasFailed;
            (entry.HasFailed, entry.IsDoubted) = (true, false);
            return isNews;
        }
    }

    /// <summary>Notes that somebody is being asked about an address.</summary>
    public void Asked(InviteAddress address)
    {
        lock (_gate)
        {
            FindOrAdd(address).AskedAt = time.GetUtcNow();
        }
    }

    /// <summary>Whoever was asked gave no answer: another may be asked at once.</summary>
    public void Unanswered(InviteAddress address)
    {
        lock (_gate)
        {
            FindOrAdd(address).AskedAt = null;
        }
    }

    /// <summary>When a peer should be asked about an address; in the past when it is due.</summary>
    public DateTimeOffset DueAt(InviteAddress address, FeedId peer)
    {
        lock (_gate)
        {
            if (!TryFind(address, out var entry) || entry.AskedAt is not { } asked)
            {
                return entry is { ProvenAt: { } seen, HasFailed: false } ? seen + options.RenewAfter : DateTimeOffset.MinValue;
            }

            if (entry.IsDoubted)
            {
                return entry.FailedBy.Contains(peer) ? asked + options.RetryAfter : DateTimeOffset.MinValue;
            }

            var again = asked + (entry.IsStale ? options.LeastPause : options.RetryAfter);
            var renewal = entry is { ProvenAt: { } at, HasFailed: false, IsStale: false } ? at + options.RenewAfter : again;
            return renewal > again ? renewal : again;
        }
    }

    /// <summary>The network is another: all is to be asked anew.</summary>
    /// <param name="unprovenOnly">True to leave alone what works.</param>
    public void AskAnew(bool unprovenOnly)
    {
        lock (_gate)
        {
            foreach (var entry in _entries.Values)
            {
                entry.IsStale |= !unprovenOnly || entry.HasFailed || entry.ProvenAt is null;
            }
        }
    }

    /// <summary>Forgets addresses that the box no longer has, once their proof would be stale.</summary>
    public void Forget(IReadOnlyCollection<InviteAddress> present)
    {
        ArgumentNullException.ThrowIfNull(present);
        lock (_gate)
        {
            var now = time.GetUtcNow();
            foreach (var (address, entry) in _entries)
            {
                if (!present.Contains(address) && (entry.ProvenAt is not { } at || now - at >= options.ProofLife || _entries.Count > MaxAddresses))
                {
                    _ = _entries.Remove(address);
                }
            }
        }
    }

    private bool TryFind(InviteAddress address, [NotNullWhen(true)] out Entry? entry) => _entries.TryGetValue(address, out entry);

    private Entry FindOrAdd(InviteAddress address)
    {
        if (!_entries.TryGetValue(address, out var entry))
        {
            entry = new Entry();
            _entries.Add(address, entry);
        }

        return entry;
    }

    private sealed class Entry
    {
        public DateTimeOffset? ProvenAt { get; set; }

        public FeedId? ProvenBy { get; set; }

        public DateTimeOffset? AskedAt { get; set; }

        public bool HasFailed { get; set; }

        /// <summary>It worked, and one peer could not come in: a second is to be asked at once.</summary>
        public bool IsDoubted { get; set; }

        /// <summary>The network changed since.</summary>
        public bool IsStale { get; set; }

        public HashSet<FeedId> FailedBy { get; } = [];

        public Dictionary<FeedId, DateTimeOffset> Provers { get; } = [];
    }
}
