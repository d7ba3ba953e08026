using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>A browser that is signed in.</summary>
/// <param name="Id">Names it to the owner; says nothing of its token.</param>
/// <param name="Created">When it signed in.</param>
/// <param name="Seen">When it was last seen, to the hour.</param>
/// <param name="Address">Where it came from.</param>
/// <param name="Browser">What it calls itself.</param>
/// <param name="App">The feed whose app signed it in; null when the password did.</param>
public sealed record WebSession(long Id, DateTimeOffset Created, DateTimeOffset Seen, string Address, string Browser, FeedId? App = null);

/// <summary>Who may use the box's pages: the owner's password, as a hash, and the browsers that are signed in.</summary>
public sealed class AccessTable
{
    private readonly StateDatabase _state;

    /// <summary>Creates the tables if they are missing.</summary>
    public AccessTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute(
            """
            CREATE TABLE IF NOT EXISTS web_password (one INTEGER PRIMARY KEY CHECK (one = 1), hash TEXT NOT NULL, since INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS web_sessions (
              id INTEGER PRIMARY KEY AUTOINCREMENT, token BLOB NOT NULL UNIQUE, created INTEGER NOT NULL, seen INTEGER NOT NULL,
              address TEXT NOT NULL, browser TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS web_api_token (one INTEGER PRIMARY KEY CHECK (one = 1), token BLOB NOT NULL, since INTEGER NOT NULL);
            CREATE TABLE IF NOT EXISTS web_app_sessions (session INTEGER PRIMARY KEY, feed BLOB NOT NULL);
            CREATE TABLE IF NOT EXISTS web_choices (name TEXT PRIMARY KEY) WITHOUT ROWID;
            """);
    }

    /// <summary>The hash of the owner's password; null while nobody has claimed the box.</summary>
    public string? PasswordHash => _state.Query("SELECT hash FROM web_password", static row => row.GetString(0)) is [var hash] ? hash : null;

    /// <summary>Sets the first password. False when there is one already.</summary>
    public bool TrySetFirstPassword(string hash, DateTimeOffset now) =>
        _state.Execute("INSERT OR IGNORE INTO web_password (one, hash, since) VALUES (1, $0, $1)", hash, now.ToUnixTimeMilliseconds()) == 1;

    /// <summary>Sets another password.</summary>
    public void ReplacePassword(string hash, DateTimeOffset now) =>
        _state.Execute("INSERT OR REPLACE INTO web_password (one, hash, since) VALUES (1, $0, $1)", hash, now.ToUnixTimeMilliseconds());

    /// <summary>The SHA-256 of the token that programs read the box with; null when there is none.</summary>
    public byte[]? ApiTokenHash => _state.Query("SELECT token FROM web_api_token", static row => (byte[])row[0]) is [var hash] ? hash : null;

    /// <summary>Sets another token for programs, or none.</summary>
    public void ReplaceApiToken(byte[]? tokenHash, DateTimeOffset now) =>
        _ = tokenHash is null
            ? _state.Execute("DELETE FROM web_api_token")
            : _state.Execute("INSERT OR REPLACE INTO web_api_token (one, token, since) VALUES (1, $0, $1)", tokenHash, now.ToUnixTimeMilliseconds());

    /// <summary>Whether the owner has switched something on that is off at first.</summary>
    public bool Choice(string name) => _state.Query("SELECT 1 FROM web_choices WHERE name = $0", static row => row.GetInt64(0), name).Count == 1;

    /// <summary>Keeps what the owner has switched on or off.</summary>
    public void SetChoice(string name, bool isOn) =>
        _state.Execute(isOn ? "INSERT OR IGNORE INTO web_choices (name) VALUES ($0)" : "DELETE FROM web_choices WHERE name = $0", name);

    /// <summary>The browsers that are signed in, the one seen last first.</summary>
    public IReadOnlyList<WebSession> Sessions() => Read("ORDER BY seen DESC, id DESC");

    /// <summary>The session of a token; null when there is none.</summary>
    /// <param name="tokenHash">SHA-256 of the token: whoever reads the file cannot sign in with it.</param>
    public WebSession? Find(byte[] tokenHash) => Read("WHERE token = $0", tokenHash) is [var session] ? session : null;

    /// <summary>Signs a browser in.</summary>
    /// <param name="tokenHash">SHA-256 of its token.</param>
    /// <param name="now">The time.</param>
    /// <param name="address">Where it comes from.</param>
    /// <param name="browser">What it calls itself.</param>
    /// <param name="app">The feed whose app does so; null when the password does.</param>
    public WebSession Add(byte[] tokenHash, DateTimeOffset now, string address, string browser, FeedId? app = null) => _state.InTransaction(() =>
    {
        _state.Execute("INSERT INTO web_sessions (token, created, seen, address, browser) VALUES ($0, $1, $1, $2, $3)", tokenHash, now.ToUnixTimeMilliseconds(), address, browser);
        if (app is { } feed)
        {
            _state.Execute("INSERT INTO web_app_sessions (session, feed) SELECT id, $1 FROM web_sessions WHERE token = $0", tokenHash, feed.Bytes.ToArray());
        }

        return Find(tokenHash)!;
    });

    /// <summary>Notes that a browser was seen. The caller does so seldom: every write wears the card.</summary>
    public void Seen(long id, DateTimeOffset now, string address) =>
        _state.Execute("UPDATE web_sessions SET seen = $1, address = $2 WHERE id = $0", id, now.ToUnixTimeMilliseconds(), address);

    /// <summary>Signs a browser out. False when it was not signed in.</summary>
    public bool Remove(long id) => _state.InTransaction(() =>
    {
        _state.Execute("DELETE FROM web_app_sessions WHERE session = $0", id);
        return _state.Execute("DELETE FROM web_sessions WHERE id = $0", id) == 1;
    });

    /// <summary>Signs out what has not been seen since a time, and returns whom.</summary>
    public IReadOnlyList<long> RemoveUnseenSince(DateTimeOffset time) =>
        _state.Query("DELETE FROM web_sessions WHERE seen < $0 RETURNING id", static row => row.GetInt64(0), time.ToUnixTimeMilliseconds());

    private List<WebSession> Read(string which, params ReadOnlySpan<object?> parameters) => _state.Query(
        "SELECT id, created, seen, address, browser, feed FROM web_sessions LEFT JOIN web_app_sessions ON session = id " + which,
        static row => new WebSession(
            row.GetInt64(0),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
            row.GetString(3),
            row.GetString(4),
            row.IsDBNull(5) ? null : new FeedId((byte[])row[5])),
        parameters);
}
