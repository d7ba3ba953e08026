using PiPub.Node.Peers;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Web.Dashboard;

/// <summary>How the box is doing at one moment.</summary>
public sealed record BoxSnapshot
{
    /// <summary>The box's own identity.</summary>
    public required FeedId Id { get; init; }

    /// <summary>The owner's feed; null while nobody has used the first invite.</summary>
    public FeedId? Owner { get; init; }

    /// <summary>The name on the local network, such as pipub.local; null when it has none.</summary>
    public string? HostName { get; init; }

    /// <summary>Feeds kept.</summary>
    public int Feeds { get; init; }

    /// <summary>Messages kept.</summary>
    public long Messages { get; init; }

    /// <summary>Messages that peers have told of and that are not here yet.</summary>
    public long MessagesBehind { get; init; }

    /// <summary>How long they take at the present pace; null when nobody can tell.</summary>
    public TimeSpan? FetchTime { get; init; }

    /// <summary>Bytes of messages.</summary>
    public long MessageBytes { get; init; }

    /// <summary>Bytes of blobs.</summary>
    public long BlobBytes { get; init; }

    /// <summary>Bytes of blobs that are allowed.</summary>
    public long BlobQuota { get; init; }

    /// <summary>Free bytes of the disk.</summary>
    public long FreeBytes { get; init; }

    /// <summary>Peers, connected ones first.</summary>
    public IReadOnlyList<PeerStatus> Peers { get; init; } = [];

    /// <summary>The connected ones among them.</summary>
    public IEnumerable<PeerStatus> Connected => Peers.Where(static peer => peer.State == PeerState.Connected);

    /// <summary>Whether the box can be reached from outside; null when that is not known.</summary>
    public bool? IsReachable { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public required Sentence Reachability { get; init; }

    /// <summary>What would help; null when there is nothing to do.</summary>
    public Sentence? ReachabilityAdvice { get; init; }

    /// <summary>How long the box runs.</summary>
    public TimeSpan Uptime { get; init; }

    /// <summary>Degrees Celsius of the processor; null where the machine does not tell.</summary>
    public double? Temperature { get; init; }

    /// <summary>The program's version.</summary>
    public string Version { get; init; } = "";

    /// <summary>Whether the box's own feed is being recovered, so that nothing is published.</summary>
    public bool IsRecovering { get; init; }

    /// <summary>How the box was backed up, the latest attempt first.</summary>
    public IReadOnlyList<BackupNote> Backups { get; init; } = [];

    /// <summary>The last problems, those that are over too, the newest first.</summary>
    public IReadOnlyList<PastProblem> LastProblems { get; init; } = [];

    /// <summary>What is wrong, each with what to do about it.</summary>
    public IReadOnlyList<Sentence> Problems { get; init; } = [];
}
