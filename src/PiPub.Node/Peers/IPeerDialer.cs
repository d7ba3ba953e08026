using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Node.Peers;

/// <summary>Reaches addresses of one kind (TCP, WebSocket).</summary>
public interface IPeerDialer
{
    /// <summary>Whether this is the kind of address that it reaches.</summary>
    bool CanDial(MultiserverAddress address);

    /// <summary>Connects; the handshake is not its business.</summary>
    /// <param name="address">What to reach.</param>
    /// <param name="publicOnly">
    /// True for addresses that the network told of: names that turn out to be loopback or private addresses are not connected to,
    /// so that nobody can make the box knock on doors in its owner's home.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="PeerConnectException">It cannot be reached; the message says why.</exception>
    /// <exception cref="IOException">It cannot be reached.</exception>
    ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken);
}

/// <summary>A peer could not be connected to. The message can be shown to a person.</summary>
public sealed class PeerConnectException : Exception
{
    /// <summary>A failure without words.</summary>
    public PeerConnectException()
    {
    }

    /// <summary>A failure in plain words.</summary>
    public PeerConnectException(string message)
        : base(message)
    {
    }

    /// <summary>A failure in plain words with its cause.</summary>
    public PeerConnectException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
