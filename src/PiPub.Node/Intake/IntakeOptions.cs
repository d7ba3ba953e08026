using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Intake;

/// <summary>The limits of the intake.</summary>
public sealed class IntakeOptions
{
    /// <summary>The network's message HMAC key, if it has one.</summary>
    public HmacKey? HmacKey { get; init; }

    /// <summary>The most messages that are verified and committed together.</summary>
    public int MaxBatchMessages { get; init; } = 2048;

    /// <summary>The most bytes that are verified and committed together; one message is always taken.</summary>
    public int MaxBatchBytes { get; init; } = 2 << 20;

    /// <summary>The most messages that wait to be taken; a source that brings more waits.</summary>
    public int MaxQueuedMessages { get; init; } = 4096;

    /// <summary>The most bytes that wait to be taken; a source that brings more waits.</summary>
    public int MaxQueuedBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Flushes to the disk are at least so far apart while messages of others trickle in, since each writes its last page whole, however
    /// little is new. The first after a rest, what the box itself publishes, and <see cref="FullFlush"/> messages wait for nothing.
    /// </summary>
    public TimeSpan FlushPause { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>So many messages are worth a flush of their own.</summary>
    public int FullFlush { get; init; } = 256;

    /// <summary>How far ahead of its feed's tip a message may be to be kept until those before it arrive.</summary>
    public int WindowPerFeed { get; init; } = 256;

    /// <summary>The most messages, of all feeds, that are kept until those before them arrive.</summary>
    public int WindowInTotal { get; init; } = 4096;

    /// <summary>How long messages are kept for those before them, when others need the room.</summary>
    public TimeSpan WindowAge { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long nothing is taken after the disk has refused a batch.</summary>
    public TimeSpan DiskRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The most bytes of one value.</summary>
    internal static int MaxMessageBytes => ClassicFeed.MaxWireBytes;
}
