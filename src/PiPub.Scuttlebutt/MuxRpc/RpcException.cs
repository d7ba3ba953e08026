namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// An error that crosses the wire: thrown by a method to refuse a call in words the caller will read, and thrown to a
/// caller whose peer answered with an error. Its message is sent; its stack never is.
/// </summary>
public sealed class RpcException : Exception
{
    /// <summary>An error without words.</summary>
    public RpcException()
    {
    }

    /// <summary>An error in the words that the peer reads or sent.</summary>
    public RpcException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its local cause, which stays local.</summary>
    public RpcException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// True when the peer does not offer, or does not permit, the method: the texts of muxrpc ("... is not in list of
    /// allowed methods") and of Go's ("muxrpc: no such command"). Fallbacks hang on it.
    /// </summary>
    public bool IsMissingMethod =>
        Message.EndsWith("not in list of allowed methods", StringComparison.Ordinal)
        || Message.Contains("no such command", StringComparison.Ordinal);

    /// <summary>True when the connection ended while something was still expected of it.</summary>
    public bool IsConnectionLost => Message.StartsWith("connection lost", StringComparison.Ordinal);

    /// <summary>The exact refusal that other implementations match on, for <paramref name="name"/> such as "ebt.replicate".</summary>
    public static RpcException MissingMethod(string name) =>
        new($"method:{name.Replace('.', ',')} is not in list of allowed methods");
}
