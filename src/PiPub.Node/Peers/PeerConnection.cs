using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Peers;

/// <summary>What a connection is for.</summary>
internal enum PeerRole
{
    /// <summary>A peer that replicates.</summary>
    Peer,

    /// <summary>Somebody who uses an invite.</summary>
    Invite,

    /// <summary>The owner's own tools.</summary>
    Owner,

    /// <summary>Somebody who was asked to see whether an address works; comes and goes.</summary>
    Probe,
}

/// <summary>One connection from the end of its handshake to its own.</summary>
internal sealed class PeerConnection(Peer peer, MuxRpcSession session, PeerTransport transport, PeerRole role, long now)
{
    private long _bytes;
    private long _activeAt = now;
    private long _sent;
    private long _readingAt = now;

    public Peer Peer => peer;

    public MuxRpcSession Session => session;

    public PeerTransport Transport => transport;

    public PeerRole Role => role;

    /// <summary>When bytes were last seen to flow, as a timestamp; asked by one sweep over all connections.</summary>
    public long ActiveAt(long now)
    {
        var bytes = session.BytesReceived + session.BytesSent;
        if (bytes != _bytes)
        {
            (_bytes, _activeAt) = (bytes, now);
        }

        return _activeAt;
    }

    /// <summary>When the peer was last seen to read, or to have nothing to read; asked by one sweep over all connections.</summary>
    public long ReadingAt(long now)
    {
        var sent = session.BytesSent;
        if (sent != _sent || session.BytesWaiting == 0)
        {
            (_sent, _readingAt) = (sent, now);
        }

        return _readingAt;
    }
}
