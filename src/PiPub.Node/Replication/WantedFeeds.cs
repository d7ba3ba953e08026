using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Replication;

/// <summary>A change of the set of feeds that are replicated.</summary>
/// <param name="Added">Feeds that are wanted from now on.</param>
/// <param name="Removed">Feeds that no longer are.</param>
public readonly record struct WantedChange(IReadOnlyList<FeedId> Added, IReadOnlyList<FeedId> Removed);

/// <summary>The set of feeds that are replicated, as those see it who replicate.</summary>
public interface IWantedFeeds
{
    /// <summary>The set has changed. Raised one change after another.</summary>
    event Action<WantedChange>? Changed;

    /// <summary>True when the feed is replicated.</summary>
    bool IsWanted(FeedId feed);

    /// <summary>All of them: the box's own first, then the nearest.</summary>
    IReadOnlyList<FeedId> Wanted();
}
