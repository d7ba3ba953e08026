using System.Runtime.CompilerServices;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>
/// Whose box this is: the feed of the person who was the first to come in. Not the box's own identity.
/// </summary>
public sealed class OwnerTable
{
    private readonly StateDatabase _state;
    private volatile StrongBox<FeedId>? _owner;

    /// <summary>Creates the table if it is missing.</summary>
    public OwnerTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), feed BLOB NOT NULL, since INTEGER NOT NULL)");
        Load();
    }

    /// <summary>The owner's feed, or null while nobody has come in yet. Costs nothing to ask.</summary>
    public FeedId? Owner => _owner is { } owner ? owner.Value : null;

    /// <summary>Makes a feed the owner's unless there is an owner already. True when it is now the owner's.</summary>
    public bool TrySetFirst(FeedId feed, DateTimeOffset now)
    {
        var isFirst = _owner is null
            && _state.Execute("INSERT OR IGNORE INTO owner (one, feed, since) VALUES (1, $0, $1)", feed.Bytes.ToArray(), now.ToUnixTimeMilliseconds()) == 1;
        Load();
        return isFirst;
    }

    /// <summary>Hands the box to another person: only ever by an express wish of whoever administers it.</summary>
    public void Replace(FeedId feed, DateTimeOffset now)
    {
        _state.Execute("INSERT OR REPLACE INTO owner (one, feed, since) VALUES (1, $0, $1)", feed.Bytes.ToArray(), now.ToUnixTimeMilliseconds());
        Load();
    }

    /// <summary>Forgets whose box it is: whoever comes in first is the owner again.</summary>
    public void Clear()
    {
        _state.Execute("DELETE FROM owner");
        Load();
    }

    private void Load() => _owner = _state.Query("SELECT feed FROM owner", row => new StrongBox<FeedId>(new FeedId((byte[])row[0]))) is [var feed] ? feed : null;
}
