using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>
/// Whose box this is: the feed of the person who was the first to come in. Not the box's own identity.
/// </summary>
public sealed class OwnerTable
{
    private readonly StateDatabase _state;

    /// <summary>Creates the table if it is missing.</summary>
    public OwnerTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), feed BLOB NOT NULL, since INTEGER NOT NULL)");
    }

    /// <summary>The owner's feed, or null while nobody has come in yet.</summary>
    public FeedId? Owner =>
        _state.Query("SELECT feed FROM owner", row => new FeedId((byte[])row[0])) is [var feed] ? feed : null;

    /// <summary>Makes a feed the owner's unless there is an owner already. True when it is now the owner's.</summary>
    public bool TrySetFirst(FeedId feed, DateTimeOffset now) =>
        _state.Execute("INSERT OR IGNORE INTO owner (one, feed, since) VALUES (1, $0, $1)", feed.Bytes.ToArray(), now.ToUnixTimeMilliseconds()) == 1;

    /// <summary>Hands the box to another person: only ever by an express wish of whoever administers it.</summary>
    public void Replace(FeedId feed, DateTimeOffset now) =>
        _state.Execute("INSERT OR REPLACE INTO owner (one, feed, since) VALUES (1, $0, $1)", feed.Bytes.ToArray(), now.ToUnixTimeMilliseconds());
}
