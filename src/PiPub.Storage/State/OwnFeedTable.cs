using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>
/// What this data directory remembers of the box's own feed beside its messages: whether the box may write it, and how far
/// it has got at least. It outlives a lost log, which is what it is for.
/// </summary>
public sealed class OwnFeedTable
{
    private readonly StateDatabase _state;

    /// <summary>Opens the table, made if missing.</summary>
    public OwnFeedTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS own_feed (feed BLOB PRIMARY KEY, free INTEGER NOT NULL, reached INTEGER NOT NULL) WITHOUT ROWID");
    }

    /// <summary>
    /// Whether the box may write a feed as far as this directory knows (it was created here, or has been recovered since),
    /// and the sequence that it had reached at least when that was last noted.
    /// </summary>
    public (bool IsFree, int Reached) Read(FeedId feed) =>
        _state.Query("SELECT free, reached FROM own_feed WHERE feed = $0", row => (row.GetInt32(0) != 0, row.GetInt32(1)), feed.Bytes.ToArray()) is [var found]
            ? found
            : default;

    /// <summary>Notes it, safely on the disk when this returns.</summary>
    public void Write(FeedId feed, bool isFree, int reached) => _state.Execute(
        "INSERT INTO own_feed (feed, free, reached) VALUES ($0, $1, $2) ON CONFLICT (feed) DO UPDATE SET free = $1, reached = $2",
        feed.Bytes.ToArray(),
        isFree ? 1 : 0,
        reached);
}
