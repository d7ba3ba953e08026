using System.Runtime.InteropServices;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Reachability;

/// <summary>Counts the questions of peers: one at a time each, so many in a row each and in all, with more as time goes by.</summary>
internal sealed class DialBackBudget(DialBackLimits limits, TimeProvider time)
{
    private const int MaxRemembered = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, Allowance> _peers = [];
    private Allowance _all = new() { Left = limits.InAll, CountedAt = time.GetTimestamp() };

    /// <summary>Takes a question. Null when it may be answered, which <see cref="Answered"/> must be told; else why not.</summary>
    public string? Refuse(FeedId peer)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            MakeRoom(now);
            ref var allowance = ref CollectionsMarshal.GetValueRefOrAddDefault(_peers, peer, out var isKnown);
            if (!isKnown)
            {
                allowance = new Allowance { Left = limits.PerPeer, CountedAt = now };
            }

            Refill(ref allowance, limits.PerPeer, limits.PeerRefill, now);
            Refill(ref _all, limits.InAll, limits.AllRefill, now);
            if (allowance.IsBusy)
            {
                return "your last question is still being answered.";
            }

            if (allowance.Left < 1)
            {
                return $"you asked {limits.PerPeer} times within a short while. Ask again in some minutes.";
            }

            if (_all.Left < 1)
            {
                return "too many peers ask this box at the moment. Ask another, or again in some minutes.";
            }

            allowance.Left--;
            allowance.IsBusy = true;
            _all.Left--;
            return null;
        }
    }

    /// <summary>A question has been answered.</summary>
    public void Answered(FeedId peer)
    {
        lock (_gate)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_peers, peer, out _).IsBusy = false;
        }
    }

    private void Refill(ref Allowance allowance, int most, TimeSpan each, long now)
    {
        allowance.Left = Math.Min(most, allowance.Left + (time.GetElapsedTime(allowance.CountedAt, now) / each));
        allowance.CountedAt = now;
    }

    /// <summary>Forgets those who have all of their allowance again. There are not more of others than the box answers in all.</summary>
    private void MakeRoom(long now)
    {
        if (_peers.Count < MaxRemembered)
        {
            return;
        }

        foreach (var (peer, allowance) in _peers)
        {
            if (!allowance.IsBusy && allowance.Left + (time.GetElapsedTime(allowance.CountedAt, now) / limits.PeerRefill) >= limits.PerPeer)
            {
                _ = _peers.Remove(peer);
            }
        }
    }

    private struct Allowance
    {
        public double Left;
        public long CountedAt;
        public bool IsBusy;
    }
}
