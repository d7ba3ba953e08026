using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Import;

/// <summary>How far an import has got.</summary>
public enum ImportState
{
    /// <summary>None has been asked for.</summary>
    None,

    /// <summary>It is under way.</summary>
    Running,

    /// <summary>It has come to its end.</summary>
    Finished,

    /// <summary>The owner has stopped it; what had come stays.</summary>
    Cancelled,

    /// <summary>It could not go on; what had come stays.</summary>
    Failed,
}

/// <summary>What an import is busy with.</summary>
public enum ImportStage
{
    /// <summary>Messages out of the logs.</summary>
    Messages,

    /// <summary>Pictures and files.</summary>
    Blobs,
}

/// <summary>Why an import could not go on.</summary>
public enum ImportFailure
{
    /// <summary>Nothing has gone wrong.</summary>
    None,

    /// <summary>The disk is full or fails.</summary>
    DiskFull,

    /// <summary>The files cannot be read any more.</summary>
    Unreadable,

    /// <summary>The box was stopped.</summary>
    Stopped,

    /// <summary>The identity could not be written down, or the box could not restart.</summary>
    Identity,
}

/// <summary>Why messages of a feed were not taken.</summary>
public enum FeedTroubleKind
{
    /// <summary>A message breaks a rule or its signature is wrong.</summary>
    Invalid,

    /// <summary>Two messages contradict each other.</summary>
    Forked,

    /// <summary>Messages before them are missing in the log.</summary>
    Gap,

    /// <summary>The box blocks the feed.</summary>
    Blocked,
}

/// <summary>A feed of which not all could be taken.</summary>
/// <param name="Feed">The feed.</param>
/// <param name="Kind">Why.</param>
/// <param name="Sequence">The first message concerned.</param>
/// <param name="Count">How many messages.</param>
/// <param name="Reason">What exactly, in words; empty where the kind says it all.</param>
public sealed record FeedTrouble(FeedId Feed, FeedTroubleKind Kind, int Sequence, long Count, string Reason);

/// <summary>How an import is doing, at one moment.</summary>
public sealed record ImportProgress
{
    /// <summary>No import.</summary>
    public static ImportProgress None { get; } = new();

    /// <summary>How far it has got.</summary>
    public ImportState State { get; init; }

    /// <summary>What it is busy with.</summary>
    public ImportStage Stage { get; init; }

    /// <summary>What is imported, as a person knows it: the name of a file or folder.</summary>
    public string Name { get; init; } = "";

    /// <summary>Bytes of the present stage that are done.</summary>
    public long DoneBytes { get; init; }

    /// <summary>Bytes of the present stage in all.</summary>
    public long TotalBytes { get; init; }

    /// <summary>How long the present stage takes still, by how fast it went lately; null while that cannot be told.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Messages that are new here.</summary>
    public long Added { get; init; }

    /// <summary>Messages that were here already.</summary>
    public long Known { get; init; }

    /// <summary>Feeds that messages were taken from, new ones or known ones.</summary>
    public int Feeds { get; init; }

    /// <summary>Messages that were not taken, of all kinds.</summary>
    public long Refused { get; init; }

    /// <summary>Messages of other feed formats than the classic one, which this box does not keep.</summary>
    public long OtherFormats { get; init; }

    /// <summary>Messages that the other program had deleted.</summary>
    public long Deleted { get; init; }

    /// <summary>Places of the logs that are damaged.</summary>
    public long Damages { get; init; }

    /// <summary>The first of them, in words.</summary>
    public IReadOnlyList<string> DamageWords { get; init; } = [];

    /// <summary>The feeds of which not all could be taken, the first hundred.</summary>
    public IReadOnlyList<FeedTrouble> Troubles { get; init; } = [];

    /// <summary>Blobs that are new here.</summary>
    public long Blobs { get; init; }

    /// <summary>Blobs that were here already.</summary>
    public long BlobsKnown { get; init; }

    /// <summary>Blobs that were left behind: no room, too large, or not what their names say.</summary>
    public long BlobsRefused { get; init; }

    /// <summary>Addresses of others that were taken into the address book.</summary>
    public int Addresses { get; init; }

    /// <summary>Whom the box becomes by it; null when it stays who it is.</summary>
    public FeedId? Identity { get; init; }

    /// <summary>The newest message of that feed that is here.</summary>
    public int IdentitySequence { get; init; }

    /// <summary>Why it could not go on.</summary>
    public ImportFailure Failure { get; init; }

    /// <summary>The same in words, with what to do.</summary>
    public string? Problem { get; init; }

    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}
