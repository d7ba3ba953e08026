using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Intake;

/// <summary>What became of a message that was submitted.</summary>
public enum IntakeVerdict
{
    /// <summary>It is in the log, safely on the disk.</summary>
    Appended,

    /// <summary>This very message was in the log already.</summary>
    Known,

    /// <summary>
    /// Messages before it are missing. It is kept for a while and joins the log when they arrive; observers see it then.
    /// </summary>
    Waiting,

    /// <summary>Messages before it are missing, and there is no room to keep it: it must be sent again later.</summary>
    TooFarAhead,

    /// <summary>Its feed has forked, by this message or before. The feed is stopped; asking for more of it is of no use.</summary>
    Forked,

    /// <summary>It breaks a rule of the format or its signature is wrong.</summary>
    Invalid,

    /// <summary>The disk is full or failing, or the node is stopping: it is valid, but not kept. It must be sent again later.</summary>
    NotStored,

    /// <summary>Only for a source that writes the feed itself: the feed has moved on meanwhile; the message was thrown away.</summary>
    Outdated,
}

/// <summary>Who brings messages to the intake: a peer's replication stream, or the publisher.</summary>
public interface IMessageSource
{
    /// <summary>
    /// True for the publisher. What it submits has been seen by nobody else yet, so when it does not continue its feed it is
    /// thrown away as <see cref="IntakeVerdict.Outdated"/> rather than kept as the proof of a fork.
    /// </summary>
    bool IsAuthor => false;

    /// <summary>
    /// Told once for each message submitted, in the order of submission; <see cref="IntakeVerdict.Appended"/> only when it is
    /// safely on the disk. Called from the intake's loop: it must not block and not throw.
    /// </summary>
    /// <param name="author">Who the message says wrote it; zero when it does not even say so. Proven only if it was valid.</param>
    /// <param name="sequence">The sequence that it claims, or 0.</param>
    /// <param name="verdict">What became of it.</param>
    void Judged(FeedId author, int sequence, IntakeVerdict verdict);

    /// <summary>Told, before its verdict, why a message is <see cref="IntakeVerdict.Invalid"/>. It must not block and not throw.</summary>
    void Refused(FeedId author, int sequence, string reason)
    {
    }
}

/// <summary>Who wants to know of new messages: EBT towards other peers, live streams, the views.</summary>
public interface IAppendObserver
{
    /// <summary>
    /// Called once after each group commit, after the sources were told, in the order of the log. It must not block and not throw.
    /// </summary>
    void Appended(IReadOnlyList<LogRecord> records);
}
