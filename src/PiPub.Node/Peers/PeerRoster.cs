using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <summary>
/// The connections there are: one for each peer, and any number of the owner's tools and of people with invites.
/// </summary>
/// <remarks>
/// The JavaScript stack keeps every connection of a peer, and its EBT then ends the older session ("reconnected to peer").
/// Here the newest connection of a peer takes the place of the older, which gets a goodbye: a client that comes back from
/// another network must not wait for its dead connection to time out. Only when both sides have just dialled each other do
/// both keep the connection dialled by the smaller key, so that they do not close one each.
/// </remarks>
internal sealed class PeerRoster(FeedId self, PeerOptions options, TimeProvider time)
{
    private static readonly TimeSpan Crossing = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, PeerConnection> _peers = [];
    private readonly HashSet<PeerConnection> _others = [];

    /// <summary>True while another peer may be connected.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_gate)
            {
                return _peers.Count < options.MaxConnections;
            }
        }
    }

    /// <summary>Connections that this box dialled.</summary>
    public int OutgoingCount
    {
        get
        {
            lock (_gate)
            {
                var count = 0;
                foreach (var connection in _peers.Values)
                {
                    count += connection.Peer.IsOutgoing ? 1 : 0;
                }

                return count;
            }
        }
    }

    /// <summary>The connection with a peer, or null.</summary>
    public PeerConnection? Find(FeedId id)
    {
        lock (_gate)
        {
            return _peers.GetValueOrDefault(id);
        }
    }

    /// <summary>How many connections hold one invite's key.</summary>
    public int CountOfInvite(FeedId key)
    {
        lock (_gate)
        {
            var count = 0;
            foreach (var other in _others)
            {
                count += other.Role == PeerRole.Invite && other.Peer.Id == key ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>
    /// Adds a connection. False when there is no room, or when the peer is better served by the one it has.
    /// <paramref name="loser"/> is the one to be closed, if any.
    /// </summary>
    public bool Add(PeerConnection connection, out PeerConnection? loser)
    {
        loser = null;
        lock (_gate)
        {
            if (connection.Role != PeerRole.Peer)
            {
                return _others.Add(connection);
            }

            var id = connection.Peer.Id;
            if (_peers.TryGetValue(id, out var older))
            {
                if (Keeps(older, connection))
                {
                    loser = connection;
                    return false;
                }

                loser = older;
            }
            else if (_peers.Count >= options.MaxConnections)
            {
                return false;
            }

            _peers[id] = connection;
            return true;
        }
    }

    /// <summary>Removes a connection that has ended.</summary>
    public void Remove(PeerConnection connection)
    {
        lock (_gate)
        {
            if (!_others.Remove(connection) && _peers.TryGetValue(connection.Peer.Id, out var present) && present == connection)
            {
                _ = _peers.Remove(connection.Peer.Id);
            }
        }
    }

    /// <summary>All connections, or only those with one identity.</summary>
    public List<PeerConnection> All(FeedId? id = null)
    {
        lock (_gate)
        {
            var all = new List<PeerConnection>(_peers.Count + _others.Count);
            if (id is { } only)
            {
                if (_peers.TryGetValue(only, out var peer))
                {
                    all.Add(peer);
                }
            }
            else
            {
                all.AddRange(_peers.Values);
            }

            foreach (var other in _others)
            {
                if (id is null || other.Peer.Id == id)
                {
                    all.Add(other);
                }
            }

            return all;
        }
    }

    private bool Keeps(PeerConnection older, PeerConnection newer)
    {
        if (older.Peer.IsOutgoing == newer.Peer.IsOutgoing || older.Session.Closed.IsCancellationRequested
            || time.GetUtcNow() - older.Peer.ConnectedAt > Crossing)
        {
            return false;
        }

        var weAreSmaller = self < older.Peer.Id;
        return older.Peer.IsOutgoing == weAreSmaller;
    }
}
