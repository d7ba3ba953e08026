namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>The peer broke muxrpc's rules; the connection ends. The message says what it did, for this box's log.</summary>
public sealed class RpcProtocolException : Exception
{
    /// <summary>An offence without words.</summary>
    public RpcProtocolException()
    {
    }

    /// <summary>An offence in words for the log.</summary>
    public RpcProtocolException(string message)
        : base(message)
    {
    }

    /// <summary>An offence with its cause.</summary>
    public RpcProtocolException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
