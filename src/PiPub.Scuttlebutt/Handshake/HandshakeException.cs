namespace PiPub.Scuttlebutt.Handshake;

/// <summary>Why a secret handshake came to nothing.</summary>
public enum HandshakeFailure
{
    /// <summary>The peer closed the connection before its next message was whole.</summary>
    HungUp,

    /// <summary>The peer's hello was not made with our network key: another network, or no Scuttlebutt peer at all.</summary>
    WrongNetworkKey,

    /// <summary>The peer sent a key from which no shared secret can come (a small-order or invalid point).</summary>
    BadKey,

    /// <summary>The peer did not prove that it holds the identity it claims, or did not know ours.</summary>
    NotProven,

    /// <summary>Ours or theirs: the identity was proven, and turned away.</summary>
    Refused,

    /// <summary>The connection broke underneath.</summary>
    ConnectionLost,
}

/// <summary>The one way a secret handshake fails, other than by the caller's cancellation. Its message can be shown to a person.</summary>
public sealed class HandshakeException : Exception
{
    /// <summary>A failure without words.</summary>
    public HandshakeException()
    {
    }

    /// <summary>A failure in plain words.</summary>
    public HandshakeException(string message)
        : base(message)
    {
    }

    /// <summary>A failure in plain words with its cause.</summary>
    public HandshakeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>A failure of a known kind in plain words.</summary>
    public HandshakeException(HandshakeFailure failure, string message, Exception? innerException = null)
        : base(message, innerException) => Failure = failure;

    /// <summary>What kind of failure this is.</summary>
    public HandshakeFailure Failure { get; }
}
