using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <summary>Identities that broke the protocol a short while ago. Bounded: the longest ago are forgotten first.</summary>
internal sealed class Offenders(TimeSpan memory, TimeProvider time)
{
    private const int MaxRemembered = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, long> _when = [];
    private readonly Queue<FeedId> _order = new();

    public void Add(FeedId offender)
    {
        lock (_gate)
        {
            if (!_when.ContainsKey(offender))
            {
                if (_order.Count == MaxRemembered)
                {
                    _ = _when.Remove(_order.Dequeue());
                }

                _order.Enqueue(offender);
            }

            _when[offender] = time.GetTimestamp();
        }
    }

    public bool Contains(FeedId peer)
    {
        lock (_gate)
        {
            return _when.TryGetValue(peer, out var when) && time.GetElapsedTime(when) < memory;
        }
    }
}
