namespace PiPub.Scuttlebutt.MuxRpc;

/// <summary>
/// What one muxrpc connection may cost this side. JavaScript's muxrpc has no limits; these are generous to every honest
/// peer and keep a hostile one from growing this side's memory.
/// </summary>
public sealed record MuxRpcLimits
{
    /// <summary>The defaults.</summary>
    public static MuxRpcLimits Default { get; } = new();

    /// <summary>
    /// Longest JSON or text body accepted, in bytes. The longest honest one is a pub's first EBT notes, one object of about
    /// 62 bytes a feed: 4 MiB is 67,000 feeds. A longer announcement ends the connection.
    /// </summary>
    public int MaxTextBody { get; init; } = 4 * 1024 * 1024;

    /// <summary>Longest binary body accepted, in bytes. Blobs come in 64 KiB pieces. A longer announcement ends the connection.</summary>
    public int MaxBinaryBody { get; init; } = 1024 * 1024;

    /// <summary>Streams that the peer may have open here at once; legacy clients open one createHistoryStream a feed. More are refused with an error.</summary>
    public int MaxStreams { get; init; } = 16_384;

    /// <summary>Async calls of the peer that may be at work here at once. More are refused with an error.</summary>
    public int MaxPendingCalls { get; init; } = 4_096;

    /// <summary>Items of one stream that wait to be read before the connection stops being read.</summary>
    public int StreamQueueItems { get; init; } = 1_024;

    /// <summary>Bytes of one stream that wait to be read before the connection stops being read, 64 added for each item.</summary>
    public int StreamQueueBytes { get; init; } = 512 * 1024;

    /// <summary>Bytes of all streams together that wait to be read before the connection stops being read, 64 added for each item.</summary>
    public int SessionQueueBytes { get; init; } = 1024 * 1024;

    /// <summary>Bytes of output above which writing to a stream waits.</summary>
    public int OutputHighWater { get; init; } = 256 * 1024;

    /// <summary>
    /// Bytes of output above which no new request of the peer is taken: answers and refusals never wait, so a peer that
    /// asks and does not read is held here.
    /// </summary>
    public int OutputCeiling { get; init; } = 2 * 1024 * 1024;

    /// <summary>
    /// Requests that the peer may make at once, beyond <see cref="RequestsPerSecond"/>: legacy clients open a stream a feed. Then the
    /// connection is read more slowly.
    /// </summary>
    public int RequestBurst { get; init; } = 32_768;

    /// <summary>Requests a second that the peer may go on making.</summary>
    public int RequestsPerSecond { get; init; } = 1_000;

    /// <summary>Longest name of a method accepted, in characters, its parts joined by dots.</summary>
    public int MaxMethodName { get; init; } = 128;

    /// <summary>How long an orderly close may take before the connection is cut.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Checks that the numbers make sense together.</summary>
    /// <exception cref="ArgumentException">One does not; the text says which and what is allowed.</exception>
    public void Validate()
    {
        Require(MaxTextBody is >= 65_536 and <= 64 * 1024 * 1024, nameof(MaxTextBody), MaxTextBody, "64 KiB to 64 MiB");
        Require(MaxBinaryBody is >= 65_536 and <= 64 * 1024 * 1024, nameof(MaxBinaryBody), MaxBinaryBody, "64 KiB to 64 MiB");
        Require(MaxStreams >= 16, nameof(MaxStreams), MaxStreams, "16 or more");
        Require(MaxPendingCalls >= 1, nameof(MaxPendingCalls), MaxPendingCalls, "1 or more");
        Require(StreamQueueItems >= 1, nameof(StreamQueueItems), StreamQueueItems, "1 or more");
        Require(StreamQueueBytes >= 1024, nameof(StreamQueueBytes), StreamQueueBytes, "1 KiB or more");
        Require(SessionQueueBytes >= StreamQueueBytes, nameof(SessionQueueBytes), SessionQueueBytes, "at least StreamQueueBytes");
        Require(OutputHighWater >= 4096, nameof(OutputHighWater), OutputHighWater, "4 KiB or more");
        Require(OutputCeiling >= 2 * OutputHighWater, nameof(OutputCeiling), OutputCeiling, "at least twice OutputHighWater");
        Require(RequestBurst >= 1, nameof(RequestBurst), RequestBurst, "1 or more");
        Require(RequestsPerSecond >= 1, nameof(RequestsPerSecond), RequestsPerSecond, "1 or more");
        Require(MaxMethodName >= 16, nameof(MaxMethodName), MaxMethodName, "16 or more");
        Require(CloseTimeout > TimeSpan.Zero && CloseTimeout < TimeSpan.FromMinutes(5), nameof(CloseTimeout), CloseTimeout, "more than 0 and less than 5 minutes");
    }

    private static void Require(bool holds, string name, object value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"{name} is {value}; allowed is {allowed}.", name);
        }
    }
}
