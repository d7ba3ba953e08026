using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>
/// The feeds that the owner asked for without the box following them: replicated like a member's, and nobody is told why.
/// </summary>
public sealed class ReplicateListTable
{
    private readonly StateDatabase _state;

    /// <summary>Opens the table, made if missing.</summary>
    public ReplicateListTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS replicate (feed BLOB PRIMARY KEY, since INTEGER NOT NULL) WITHOUT ROWID");
    }

    /// <summary>Adds a feed; false when it was there already.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="since">The time, in milliseconds since 1970.</param>
    public bool Add(FeedId feed, long since) =>
        _state.Execute("INSERT OR IGNORE INTO replicate (feed, since) VALUES ($0, $1)", feed.Bytes.ToArray(), since) > 0;

    /// <summary>Removes a feed; false when it was not there.</summary>
    public bool Remove(FeedId feed) => _state.Execute("DELETE FROM replicate WHERE feed = $0", feed.Bytes.ToArray()) > 0;

    /// <summary>Every feed, the oldest entry first.</summary>
    public IReadOnlyList<FeedId> All() => _state.Query("SELECT feed FROM replicate ORDER BY since, feed", row => new FeedId((byte[])row[0]));
}
