namespace PiPub.Node.Blobs;

/// <summary>How generous the box is with blobs.</summary>
/// <remarks>Defaults of sympathy, pushing and size: ssb-blobs 2.0.1.</remarks>
public sealed record BlobLimits
{
    /// <summary>Blobs of this size in bytes and larger are not taken in: the largest that is, has one byte less.</summary>
    public long MaxSize { get; init; } = 5 * 1024 * 1024;

    /// <summary>Bytes kept in all.</summary>
    public long Total { get; init; } = 5_000_000_000;

    /// <summary>Bytes kept on account of one author; the box's and the owner's are not counted.</summary>
    public long PerAuthor { get; init; } = 500_000_000;

    /// <summary>How many bytes the disk can spare just now; asked before a blob is fetched.</summary>
    public Func<long> DiskCanSpare { get; init; } = static () => long.MaxValue;

    /// <summary>How far away, in peers, somebody may be whose want is taken over.</summary>
    public int Sympathy { get; init; } = 3;

    /// <summary>How many peers must have a pushed blob before it counts as spread.</summary>
    public int PushUntil { get; init; } = 3;

    /// <summary>Downloads at one time, each from another peer.</summary>
    public int Downloads { get; init; } = 4;

    /// <summary>How many of its own wants the box holds; beyond, the oldest go.</summary>
    public int MaxWants { get; init; } = 10_000;

    /// <summary>How long a peer may stay silent in the middle of a blob.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);
}
