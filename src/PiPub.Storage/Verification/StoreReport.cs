namespace PiPub.Storage.Verification;

/// <summary>Something in the store that is not as it must be.</summary>
/// <param name="Where">The place: a position in the log with its file, or a blob's file.</param>
/// <param name="What">What is wrong there.</param>
/// <param name="WayOut">What to do about it.</param>
public sealed record StoreDamage(string Where, string What, string WayOut)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Where}: {What}. {WayOut}";
}

/// <summary>What a verification found.</summary>
public sealed record StoreReport
{
    /// <summary>The most damages that are listed; the rest is counted.</summary>
    public const int MaxListed = 1000;

    /// <summary>Whole messages in the log.</summary>
    public long Messages { get; init; }

    /// <summary>Feeds that they belong to.</summary>
    public int Feeds { get; init; }

    /// <summary>Bytes of the log that were read.</summary>
    public long LogBytes { get; init; }

    /// <summary>Bytes of a batch that a crash left half written: they were never acknowledged, and the next start removes them.</summary>
    public long TornBytes { get; init; }

    /// <summary>Blobs that were read.</summary>
    public long Blobs { get; init; }

    /// <summary>Their bytes.</summary>
    public long BlobBytes { get; init; }

    /// <summary>How many damages there are, listed or not.</summary>
    public long DamageCount { get; init; }

    /// <summary>The damages, <see cref="MaxListed"/> at most.</summary>
    public IReadOnlyList<StoreDamage> Damages { get; init; } = [];

    /// <summary>True when everything is as it must be.</summary>
    public bool IsClean => DamageCount == 0;
}
