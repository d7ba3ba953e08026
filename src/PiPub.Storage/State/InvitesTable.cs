using Microsoft.Data.Sqlite;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>An invite as the box remembers it. Its seed is not among this: it was shown once.</summary>
/// <param name="Key">The public key that the seed stands for: the invite's id.</param>
/// <param name="Total">How many people may use it.</param>
/// <param name="Used">How many have.</param>
/// <param name="Note">A word on whom it is for, or null.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it stops being good, or null.</param>
/// <param name="Revoked">When it was taken back, or null.</param>
/// <param name="CreatedBy">Who asked for it.</param>
public sealed record Invite(
    FeedId Key,
    int Total,
    int Used,
    string? Note,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    DateTimeOffset? Revoked,
    FeedId CreatedBy);

/// <summary>A use of an invite.</summary>
/// <param name="Feed">Who came in by it.</param>
/// <param name="At">When.</param>
/// <param name="Sequence">Where in the box's own feed the follow message stands, or 0 when it did not get as far as that.</param>
public sealed record InviteUse(FeedId Feed, DateTimeOffset At, int Sequence);

/// <summary>What an attempt to use an invite came to.</summary>
public enum InviteTake
{
    /// <summary>One use is now this feed's.</summary>
    Taken,

    /// <summary>The same feed has used the same invite before: nothing was counted.</summary>
    Again,

    /// <summary>No such invite.</summary>
    Unknown,

    /// <summary>It was taken back.</summary>
    Revoked,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>All its uses are taken.</summary>
    Spent,
}

/// <summary>The invites that were made and who used them.</summary>
public sealed class InvitesTable
{
    private readonly StateDatabase _state;

    /// <summary>Creates the tables if they are missing.</summary>
    public InvitesTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("""
            CREATE TABLE IF NOT EXISTS invites (
                key BLOB PRIMARY KEY, total INTEGER NOT NULL, used INTEGER NOT NULL, note TEXT,
                created INTEGER NOT NULL, expires INTEGER, revoked INTEGER, created_by BLOB NOT NULL,
                CHECK (used BETWEEN 0 AND total)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS invite_uses (
                invite BLOB NOT NULL, feed BLOB NOT NULL, at INTEGER NOT NULL, sequence INTEGER NOT NULL,
                PRIMARY KEY (invite, feed)) WITHOUT ROWID;
            """);
    }

    /// <summary>Keeps a new invite.</summary>
    public void Add(Invite invite)
    {
        ArgumentNullException.ThrowIfNull(invite);
        _state.Execute(
            "INSERT INTO invites (key, total, used, note, created, expires, revoked, created_by) VALUES ($0, $1, $2, $3, $4, $5, $6, $7)",
            invite.Key.Bytes.ToArray(),
            invite.Total,
            invite.Used,
            invite.Note,
            invite.Created.ToUnixTimeMilliseconds(),
            invite.Expires?.ToUnixTimeMilliseconds(),
            invite.Revoked?.ToUnixTimeMilliseconds(),
            invite.CreatedBy.Bytes.ToArray());
    }

    /// <summary>Whether an invite with this key was ever made here, whatever has become of it.</summary>
    public bool Contains(FeedId key) =>
        _state.Query("SELECT 1 FROM invites WHERE key = $0", _ => true, key.Bytes.ToArray()).Count > 0;

    /// <summary>The invite with this key, or null.</summary>
    public Invite? Find(FeedId key) =>
        _state.Query(Columns + " WHERE key = $0", Row, key.Bytes.ToArray()) is [var invite] ? invite : null;

    /// <summary>All invites, the newest first.</summary>
    public IReadOnlyList<Invite> List() => _state.Query(Columns + " ORDER BY created DESC, key", Row);

    /// <summary>Who used an invite, in order.</summary>
    public IReadOnlyList<InviteUse> UsesOf(FeedId key) =>
        _state.Query(
            "SELECT feed, at, sequence FROM invite_uses WHERE invite = $0 ORDER BY at, feed",
            row => new InviteUse(
                new FeedId((byte[])row[0]),
                DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
                row.GetInt32(2)),
            key.Bytes.ToArray());

    /// <summary>Takes an invite back. False when there is none or it was taken back before.</summary>
    public bool Revoke(FeedId key, DateTimeOffset now) =>
        _state.Execute("UPDATE invites SET revoked = $1 WHERE key = $0 AND revoked IS NULL", key.Bytes.ToArray(), now.ToUnixTimeMilliseconds()) == 1;

    /// <summary>
    /// Takes one use of an invite for a feed: in one transaction, so that an invite never serves more feeds than it is for.
    /// A feed that has used the invite before is always told so, even when the invite has ended since.
    /// </summary>
    /// <returns>What came of it, the invite, and for a repeated use the sequence of the follow message, if there is one.</returns>
    public (InviteTake Take, Invite? Invite, int Sequence) TryTake(FeedId key, FeedId feed, DateTimeOffset now) =>
        _state.InTransaction<(InviteTake, Invite?, int)>(() =>
        {
            if (Find(key) is not { } invite)
            {
                return (InviteTake.Unknown, null, 0);
            }

            foreach (var use in UsesOf(key))
            {
                if (use.Feed == feed)
                {
                    return (InviteTake.Again, invite, use.Sequence);
                }
            }

            if (invite.Revoked is not null)
            {
                return (InviteTake.Revoked, invite, 0);
            }

            if (invite.Expires <= now)
            {
                return (InviteTake.Expired, invite, 0);
            }

            if (_state.Execute("UPDATE invites SET used = used + 1 WHERE key = $0 AND used < total", key.Bytes.ToArray()) == 0)
            {
                return (InviteTake.Spent, invite, 0);
            }

            _state.Execute(
                "INSERT INTO invite_uses (invite, feed, at, sequence) VALUES ($0, $1, $2, 0)",
                key.Bytes.ToArray(),
                feed.Bytes.ToArray(),
                now.ToUnixTimeMilliseconds());
            return (InviteTake.Taken, invite with { Used = invite.Used + 1 }, 0);
        });

    /// <summary>Remembers the follow message that a use led to.</summary>
    public void Complete(FeedId key, FeedId feed, int sequence) =>
        _state.Execute(
            "UPDATE invite_uses SET sequence = $2 WHERE invite = $0 AND feed = $1",
            key.Bytes.ToArray(),
            feed.Bytes.ToArray(),
            sequence);

    /// <summary>The sequence of the follow message that any invite led to for this feed, or 0.</summary>
    public int FollowOf(FeedId feed) =>
        _state.Query("SELECT max(sequence) FROM invite_uses WHERE feed = $0", row => row.IsDBNull(0) ? 0 : row.GetInt32(0), feed.Bytes.ToArray())[0];

    /// <summary>Gives back a use that led to nothing.</summary>
    public void Release(FeedId key, FeedId feed) =>
        _state.InTransaction(() =>
            _state.Execute("DELETE FROM invite_uses WHERE invite = $0 AND feed = $1 AND sequence = 0", key.Bytes.ToArray(), feed.Bytes.ToArray()) == 1
            && _state.Execute("UPDATE invites SET used = used - 1 WHERE key = $0", key.Bytes.ToArray()) == 1);

    private const string Columns = "SELECT key, total, used, note, created, expires, revoked, created_by FROM invites";

    private static Invite Row(SqliteDataReader row) => new(
        new FeedId((byte[])row[0]),
        row.GetInt32(1),
        row.GetInt32(2),
        row.IsDBNull(3) ? null : row.GetString(3),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
        row.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        row.IsDBNull(6) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)),
        new FeedId((byte[])row[7]));
}
