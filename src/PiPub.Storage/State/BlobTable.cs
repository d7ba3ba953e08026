using Microsoft.Data.Sqlite;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>What the box remembers of a blob that it holds.</summary>
/// <param name="Id">The blob.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Author">On whose account it is kept: who first mentioned it, else the peer that asked for it; zero for nobody.</param>
/// <param name="Added">When it came.</param>
/// <param name="Accessed">When it was last asked for, to within minutes.</param>
/// <param name="IsPinned">Whether it must stay.</param>
public readonly record struct HeldBlob(BlobId Id, long Size, FeedId Author, DateTimeOffset Added, DateTimeOffset Accessed, bool IsPinned);

/// <summary>
/// What no file says about blobs: on whose account each is kept and when it was last asked for, which are wanted, refused
/// for a while or denied for good, which are still to be spread, and how far the log was searched for mentions.
/// </summary>
public sealed class BlobTable
{
    private const int PageSize = 1000;
    private static readonly byte[] Nobody = new byte[Bytes32.Length];

    private readonly StateDatabase _state;

    /// <summary>Creates the tables if they are missing.</summary>
    public BlobTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("""
            CREATE TABLE IF NOT EXISTS blobs (
                id BLOB PRIMARY KEY, size INTEGER NOT NULL, author BLOB NOT NULL, mentioned INTEGER NOT NULL,
                added INTEGER NOT NULL, accessed INTEGER NOT NULL, pinned INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
            CREATE INDEX IF NOT EXISTS blobs_by_author ON blobs (author, accessed, size);
            CREATE TABLE IF NOT EXISTS blob_wants (id BLOB PRIMARY KEY, author BLOB NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS blob_refusals (id BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS blob_denials (id BLOB PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS blob_pushes (id BLOB NOT NULL, peer BLOB NOT NULL, PRIMARY KEY (id, peer)) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS blob_cursor (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL);
            """);
    }

    /// <summary>The log position up to which mentions were looked for.</summary>
    public long Cursor
    {
        get => _state.Query("SELECT position FROM blob_cursor", row => row.GetInt64(0)) is [var position] ? position : 0;
        set => _state.Execute("INSERT OR REPLACE INTO blob_cursor (one, position) VALUES (1, $0)", value);
    }

    /// <summary>Number and bytes of the blobs that are remembered as held.</summary>
    public (long Count, long Bytes) Totals() =>
        _state.Query("SELECT count(*), ifnull(sum(size), 0) FROM blobs", row => (row.GetInt64(0), row.GetInt64(1)))[0];

    /// <summary>Bytes kept on account of one author.</summary>
    public long BytesOf(FeedId author) =>
        _state.Query("SELECT ifnull(sum(size), 0) FROM blobs WHERE author = $0", row => row.GetInt64(0), Bytes(author))[0];

    /// <summary>The authors on whose account more than <paramref name="bytes"/> are kept.</summary>
    public IReadOnlyList<FeedId> AuthorsBeyond(long bytes) =>
        _state.Query("SELECT author FROM blobs GROUP BY author HAVING sum(size) > $0", row => new FeedId((byte[])row[0]), bytes);

    /// <summary>Remembers a blob that has come, and that it is wanted no more. One that is known keeps what is remembered.</summary>
    /// <param name="id">The blob.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="author">On whose account.</param>
    /// <param name="isMentioned">Whether the author's messages mention it; else a later mention decides on the account.</param>
    /// <param name="now">The time.</param>
    public void Add(BlobId id, long size, FeedId author, bool isMentioned, DateTimeOffset now) =>
        _state.InTransaction(() =>
        {
            _state.Execute(
                "INSERT OR IGNORE INTO blobs (id, size, author, mentioned, added, accessed) VALUES ($0, $1, $2, $3, $4, $4)",
                Bytes(id),
                size,
                Bytes(author),
                isMentioned ? 1 : 0,
                now.ToUnixTimeMilliseconds());
            _state.Execute("DELETE FROM blob_wants WHERE id = $0", Bytes(id));
            return _state.Execute("DELETE FROM blob_refusals WHERE id = $0", Bytes(id));
        });

    /// <summary>Forgets a blob that has gone, and whether it was to be spread.</summary>
    public void Remove(BlobId id) =>
        _state.InTransaction(() =>
            _state.Execute("DELETE FROM blobs WHERE id = $0", Bytes(id)) + _state.Execute("DELETE FROM blob_pushes WHERE id = $0", Bytes(id)));

    /// <summary>What is remembered of a held blob, or null.</summary>
    public HeldBlob? Find(BlobId id) =>
        _state.Query(Held + " WHERE id = $0", HeldRow, Bytes(id)) is [var blob] ? blob : null;

    /// <summary>All held blobs in the order of their ids, read page by page.</summary>
    public IEnumerable<HeldBlob> List()
    {
        var after = Array.Empty<byte>();
        while (true)
        {
            var page = _state.Query($"{Held} WHERE id > $0 ORDER BY id LIMIT {PageSize}", HeldRow, after);
            foreach (var blob in page)
            {
                yield return blob;
            }

            if (page.Count < PageSize)
            {
                yield break;
            }

            after = Bytes(page[^1].Id);
        }
    }

    /// <summary>The held blobs of one author, the one longest unasked for first.</summary>
    public IReadOnlyList<HeldBlob> OldestOf(FeedId author, int limit) =>
        _state.Query(Held + " WHERE author = $0 ORDER BY accessed LIMIT $1", HeldRow, Bytes(author), limit);

    /// <summary>Notes when blobs were last asked for, in one go.</summary>
    public void Touch(IReadOnlyDictionary<BlobId, DateTimeOffset> accessed) =>
        _state.InTransaction(() =>
        {
            foreach (var (id, at) in accessed)
            {
                _state.Execute("UPDATE blobs SET accessed = $1 WHERE id = $0", Bytes(id), at.ToUnixTimeMilliseconds());
            }

            return 0;
        });

    /// <summary>Pins a held blob or unpins it. False when it is not held.</summary>
    public bool Pin(BlobId id, bool pinned) => _state.Execute("UPDATE blobs SET pinned = $1 WHERE id = $0", Bytes(id), pinned ? 1 : 0) == 1;

    /// <summary>Everything that this side wants itself, the newest first.</summary>
    public IReadOnlyList<BlobId> Wants() => _state.Query("SELECT id FROM blob_wants ORDER BY since DESC", IdRow);

    /// <summary>Remembers a want. False when it was known.</summary>
    public bool AddWant(BlobId id, FeedId author, DateTimeOffset now) =>
        _state.Execute("INSERT OR IGNORE INTO blob_wants (id, author, since) VALUES ($0, $1, $2)", Bytes(id), Bytes(author), now.ToUnixTimeMilliseconds()) == 1;

    /// <summary>Who mentioned a wanted blob, or null when it is not wanted by this side itself.</summary>
    public FeedId? WantedFor(BlobId id) =>
        _state.Query("SELECT author FROM blob_wants WHERE id = $0", row => new FeedId((byte[])row[0]), Bytes(id)) is [var author] ? author : null;

    /// <summary>Wants a blob no more.</summary>
    public void RemoveWant(BlobId id) => _state.Execute("DELETE FROM blob_wants WHERE id = $0", Bytes(id));

    /// <summary>Drops wants that nobody could fulfil for long, and the oldest of more than <paramref name="max"/>.</summary>
    public int TrimWants(DateTimeOffset olderThan, int max) =>
        _state.Execute("DELETE FROM blob_wants WHERE since < $0 OR id IN (SELECT id FROM blob_wants ORDER BY since DESC LIMIT -1 OFFSET $1)", olderThan.ToUnixTimeMilliseconds(), max);

    /// <summary>Notes that a blob is mentioned by an author: a held one that nobody mentioned before is on its account from now on.</summary>
    public void Mention(BlobId id, FeedId author) =>
        _state.Execute("UPDATE blobs SET author = $1, mentioned = 1 WHERE id = $0 AND mentioned = 0", Bytes(id), Bytes(author));

    /// <summary>Does several things in one transaction.</summary>
    public void InOneGo(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        _state.InTransaction(() =>
        {
            work();
            return 0;
        });
    }

    /// <summary>Blobs that are not to be fetched for a while, with the time until when.</summary>
    public IReadOnlyList<(BlobId Id, DateTimeOffset Until)> Refusals() =>
        _state.Query("SELECT id, until FROM blob_refusals ORDER BY until DESC", row => (IdRow(row), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1))));

    /// <summary>Does not fetch a blob for a while, and wants it no more.</summary>
    public void Refuse(BlobId id, DateTimeOffset until) =>
        _state.InTransaction(() =>
        {
            _state.Execute("DELETE FROM blob_wants WHERE id = $0", Bytes(id));
            return _state.Execute("INSERT OR REPLACE INTO blob_refusals (id, until) VALUES ($0, $1)", Bytes(id), until.ToUnixTimeMilliseconds());
        });

    /// <summary>Forgets refusals that ended before <paramref name="now"/>, or the one of <paramref name="id"/>.</summary>
    public void ForgetRefusals(DateTimeOffset now, BlobId? id = null) =>
        _state.Execute("DELETE FROM blob_refusals WHERE until <= $0 OR id = $1", now.ToUnixTimeMilliseconds(), id is { } one ? Bytes(one) : null);

    /// <summary>Blobs that must never be kept here, with the reason.</summary>
    public IReadOnlyList<(BlobId Id, string Reason)> Denials() =>
        _state.Query("SELECT id, reason FROM blob_denials ORDER BY since DESC", row => (IdRow(row), row.GetString(1)));

    /// <summary>Denies a blob for good.</summary>
    public void Deny(BlobId id, string reason, DateTimeOffset now) =>
        _state.Execute("INSERT OR REPLACE INTO blob_denials (id, reason, since) VALUES ($0, $1, $2)", Bytes(id), reason, now.ToUnixTimeMilliseconds());

    /// <summary>Denies a blob no more. False when it was not denied.</summary>
    public bool Allow(BlobId id) => _state.Execute("DELETE FROM blob_denials WHERE id = $0", Bytes(id)) == 1;

    /// <summary>Blobs that are still to be spread, each with the peers that are known to have it.</summary>
    public IReadOnlyDictionary<BlobId, HashSet<FeedId>> Pushes()
    {
        var pushes = new Dictionary<BlobId, HashSet<FeedId>>();
        foreach (var (id, peer) in _state.Query("SELECT id, peer FROM blob_pushes", row => (IdRow(row), new FeedId((byte[])row[1]))))
        {
            if (!pushes.TryGetValue(id, out var peers))
            {
                pushes.Add(id, peers = []);
            }

            if (!peer.IsZero)
            {
                peers.Add(peer);
            }
        }

        return pushes;
    }

    /// <summary>Begins to spread a blob.</summary>
    public void AddPush(BlobId id) => _state.Execute("INSERT OR IGNORE INTO blob_pushes (id, peer) VALUES ($0, $1)", Bytes(id), Nobody);

    /// <summary>Notes that a peer has a blob that is being spread.</summary>
    public void AddPushPeer(BlobId id, FeedId peer) => _state.Execute("INSERT OR IGNORE INTO blob_pushes (id, peer) VALUES ($0, $1)", Bytes(id), Bytes(peer));

    /// <summary>Spreads a blob no more.</summary>
    public void RemovePush(BlobId id) => _state.Execute("DELETE FROM blob_pushes WHERE id = $0", Bytes(id));

    private const string Held = "SELECT id, size, author, added, accessed, pinned FROM blobs";

    private static HeldBlob HeldRow(SqliteDataReader row) => new(
        IdRow(row),
        row.GetInt64(1),
        new FeedId((byte[])row[2]),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
        row.GetInt64(5) != 0);

    private static BlobId IdRow(SqliteDataReader row) => new((byte[])row[0]);

    private static byte[] Bytes(BlobId id) => id.Bytes.ToArray();

    private static byte[] Bytes(FeedId id) => id.Bytes.ToArray();
}
