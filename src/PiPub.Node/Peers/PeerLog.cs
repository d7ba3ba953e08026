using Microsoft.Extensions.Logging;

namespace PiPub.Node.Peers;

/// <summary>What the log says of connections.</summary>
internal static partial class PeerLog
{
    [LoggerMessage(1, LogLevel.Debug, "{Peer} is connected ({Address}).")]
    public static partial void Connected(ILogger logger, string peer, string address);

    [LoggerMessage(2, LogLevel.Debug, "{Peer} is no longer connected ({Address}).")]
    public static partial void Disconnected(ILogger logger, string peer, string address);

    [LoggerMessage(3, LogLevel.Warning, "The connection with {Peer} ({Address}) was cut: {Offence}. {HeldBack} more of this kind were not logged.")]
    public static partial void Offence(ILogger logger, string peer, string address, string offence, int heldBack);

    [LoggerMessage(4, LogLevel.Information, "A connection from {Address} was not let in: {Reason}. {HeldBack} more of this kind were not logged.")]
    public static partial void NotLetIn(ILogger logger, string address, string reason, int heldBack);

    [LoggerMessage(5, LogLevel.Debug, "The handshake with {Address} came to nothing: {Reason}")]
    public static partial void HandshakeFailed(ILogger logger, string address, string reason);

    [LoggerMessage(6, LogLevel.Error, "{Method}, called by {Peer}, failed. The peer was told that it did, and not why.")]
    public static partial void MethodFailed(ILogger logger, string method, string peer, Exception exception);

    [LoggerMessage(7, LogLevel.Error, "{Service} failed for {Peer}; the connection goes on without it.")]
    public static partial void ServiceFailed(ILogger logger, string service, string peer, Exception exception);

    [LoggerMessage(8, LogLevel.Debug, "{Peer} is closed after {Minutes} minutes without a word.")]
    public static partial void Inactive(ILogger logger, string peer, double minutes);

    [LoggerMessage(9, LogLevel.Debug, "{Address} could not be connected to: {Reason}")]
    public static partial void DialFailed(ILogger logger, string address, string reason);

    [LoggerMessage(10, LogLevel.Error, "A connection ended by an error of this box itself ({Address}).")]
    public static partial void Unexpected(ILogger logger, string address, Exception exception);

    [LoggerMessage(11, LogLevel.Error, "The search for peers to connect to failed, and goes on.")]
    public static partial void SchedulingFailed(ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Debug, "The connection with {Peer} is ended: this machine no longer has the address {Local}, over which it went.")]
    public static partial void Stranded(ILogger logger, string peer, string local);

    [LoggerMessage(13, LogLevel.Information, "{Peer} has read nothing for {Minutes} minutes of what waits for it, and is hung up on.")]
    public static partial void Stalled(ILogger logger, string peer, double minutes);

    [LoggerMessage(14, LogLevel.Information, "What {Peer} says is not understood: {Problem} ({HeldBack} more of this kind.)")]
    public static partial void NotUnderstood(ILogger logger, string peer, string problem, int heldBack);
}
