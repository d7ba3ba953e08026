using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>How it stands with a peer.</summary>
public enum PeerState
{
    /// <summary>Being dialled.</summary>
    Connecting,

    /// <summary>Connected.</summary>
    Connected,

    /// <summary>Was connected.</summary>
    Disconnected,

    /// <summary>The last attempt to connect came to nothing.</summary>
    Failed,
}

/// <summary>What a person may want to know about a peer.</summary>
/// <param name="Id">Who it is.</param>
/// <param name="State">How it stands.</param>
/// <param name="IsOutgoing">True when this box dialled, or tried to.</param>
/// <param name="Address">The multiserver address dialled, or the remote end point.</param>
/// <param name="Since">When it came to that.</param>
/// <param name="LastError">What went wrong last, in words; null when nothing did.</param>
/// <param name="BytesReceived">Bytes of frames on the present or last connection.</param>
/// <param name="BytesSent">Bytes of frames on the present or last connection.</param>
/// <param name="RoundTrip">The time of the last ping, there and back.</param>
/// <param name="ClockSkew">How far the peer's clock is ahead of this box's; negative when behind.</param>
public sealed record PeerStatus(
    FeedId Id,
    PeerState State,
    bool IsOutgoing,
    string Address,
    DateTimeOffset Since,
    string? LastError,
    long BytesReceived,
    long BytesSent,
    TimeSpan? RoundTrip,
    TimeSpan? ClockSkew);

/// <summary>The peers that are connected, and what became of those that were or should be. Bounded: strangers long gone are forgotten.</summary>
public sealed class PeerTable(TimeProvider time)
{
    private const int MaxRemembered = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, Entry> _entries = [];

    /// <summary>Raised, on whatever thread, when a peer's state has changed. Must return at once.</summary>
    public event Action? Changed;

    /// <summary>Peers connected now.</summary>
    public int ConnectedCount
    {
        get
        {
            lock (_gate)
            {
                var count = 0;
                foreach (var entry in _entries.Values)
                {
                    count += entry.State == PeerState.Connected ? 1 : 0;
                }

                return count;
            }
        }
    }

    /// <summary>The peers connected now, for whoever has something to say to all.</summary>
    public IReadOnlyList<Peer> Connected
    {
        get
        {
            lock (_gate)
            {
                var peers = new List<Peer>();
                foreach (var entry in _entries.Values)
                {
                    if (entry is { State: PeerState.Connected, Peer: { } peer })
                    {
                        peers.Add(peer);
                    }
                }

                return peers;
            }
        }
    }

    /// <summary>All peers as they are at this moment, connected ones first, then the latest changes first.</summary>
    public IReadOnlyList<PeerStatus> Snapshot()
    {
        var all = new List<PeerStatus>();
        lock (_gate)
        {
            foreach (var (id, entry) in _entries)
            {
                all.Add(entry.Describe(id));
            }
        }

        all.Sort(static (a, b) =>
        {
            var byState = (b.State == PeerState.Connected).CompareTo(a.State == PeerState.Connected);
            return byState != 0 ? byState : b.Since.CompareTo(a.Since);
        });
        return all;
    }

    /// <summary>One peer, or null when nothing is known of it.</summary>
    public PeerStatus? Find(FeedId id)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(id, out var entry) ? entry.Describe(id) : null;
        }
    }

    /// <summary>The peer, if it is connected now.</summary>
    public Peer? FindConnected(FeedId id)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(id, out var entry) && entry.State == PeerState.Connected ? entry.Peer : null;
        }
    }

    internal void Connecting(FeedId id, string address) => Change(id, entry =>
    {
        if (entry.State != PeerState.Connected)
        {
            (entry.State, entry.IsOutgoing, entry.Address) = (PeerState.Connecting, true, address);
        }
    });

    internal void Failed(FeedId id, string address, string error) => Change(id, entry =>
    {
        if (entry.State != PeerState.Connected)
        {
            (entry.State, entry.IsOutgoing, entry.Address, entry.LastError) = (PeerState.Failed, true, address, error);
        }
    });

    internal void ConnectedTo(Peer peer) => Change(peer.Id, entry =>
        (entry.State, entry.IsOutgoing, entry.Address, entry.Peer, entry.LastError) =
            (PeerState.Connected, peer.IsOutgoing, peer.Address, peer, null));

    internal void Disconnected(Peer peer, string? error) => Change(peer.Id, entry =>
    {
        // A newer connection may have taken the place of this one.
        if (ReferenceEquals(entry.Peer, peer))
        {
            entry.RememberBytes();
            (entry.State, entry.Peer, entry.LastError) = (PeerState.Disconnected, null, error);
        }
    });

    internal void Pinged(Peer peer, TimeSpan roundTrip, TimeSpan clockSkew)
    {
        lock (_gate)
        {
            if (_entries.TryGetValue(peer.Id, out var entry))
            {
                (entry.RoundTrip, entry.ClockSkew) = (roundTrip, clockSkew);
            }
        }
    }

    private void Change(FeedId id, Action<Entry> change)
    {
        lock (_gate)
        {
            if (!_entries.TryGetValue(id, out var entry))
            {
                MakeRoom();
                entry = new Entry { State = PeerState.Disconnected };
                _entries.Add(id, entry);
            }

            var (state, address) = (entry.State, entry.Address);
            change(entry);
            if (state != entry.State || address != entry.Address)
            {
                entry.Since = time.GetUtcNow();
            }
        }

        Changed?.Invoke();
    }

    private void MakeRoom()
    {
        if (_entries.Count < MaxRemembered)
        {
            return;
        }

        var gone = new List<(DateTimeOffset Since, FeedId Id)>();
        foreach (var (id, entry) in _entries)
        {
            if (entry.State is PeerState.Disconnected or PeerState.Failed)
            {
                gone.Add((entry.Since, id));
            }
        }

        gone.Sort();
        foreach (var (_, id) in gone.Take(MaxRemembered / 4))
        {
            _ = _entries.Remove(id);
        }
    }

    private sealed class Entry
    {
        private long _received;
        private long _sent;

        public PeerState State { get; set; }

        public bool IsOutgoing { get; set; }

        public string Address { get; set; } = "";

        public DateTimeOffset Since { get; set; }

        public string? LastError { get; set; }

        public Peer? Peer { get; set; }

        public TimeSpan? RoundTrip { get; set; }

        public TimeSpan? ClockSkew { get; set; }

        public void RememberBytes()
        {
            if (Peer?.Session is MuxRpcSession session)
            {
                (_received, _sent) = (session.BytesReceived, session.BytesSent);
            }
        }

        public PeerStatus Describe(FeedId id)
        {
            RememberBytes();
            return new PeerStatus(id, State, IsOutgoing, Address, Since, LastError, _received, _sent, RoundTrip, ClockSkew);
        }
    }
}
