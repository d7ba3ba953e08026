namespace PiPub.Scuttlebutt.BoxStreams;

/// <summary>A box that cannot be opened or is malformed: the bytes were damaged, or the peer breaks the protocol. The connection is lost.</summary>
public sealed class BoxStreamException : IOException
{
    /// <summary>A failure without words.</summary>
    public BoxStreamException()
    {
    }

    /// <summary>A failure in plain words.</summary>
    public BoxStreamException(string message)
        : base(message)
    {
    }

    /// <summary>A failure in plain words with its cause.</summary>
    public BoxStreamException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
