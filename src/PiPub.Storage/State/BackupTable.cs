namespace PiPub.Storage.State;

/// <summary>How the latest attempt of one way to make backups ended.</summary>
/// <param name="Way">The way, such as download.</param>
/// <param name="At">When it ended.</param>
/// <param name="Succeeded">When one last succeeded; null for never.</param>
/// <param name="Bytes">The size of that one.</param>
/// <param name="Problem">Why the latest did not succeed; null when it did.</param>
public sealed record BackupNote(string Way, DateTimeOffset At, DateTimeOffset? Succeeded, long Bytes, string? Problem);

/// <summary>When this box was backed up last, for each way of doing so.</summary>
public sealed class BackupTable
{
    private readonly StateDatabase _state;

    /// <summary>Opens the table, made if missing.</summary>
    public BackupTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS backups (way TEXT PRIMARY KEY, at INTEGER NOT NULL, succeeded INTEGER, bytes INTEGER NOT NULL, problem TEXT) WITHOUT ROWID");
    }

    /// <summary>The notes, the latest first.</summary>
    public IReadOnlyList<BackupNote> All() => _state.Query(
        "SELECT way, at, succeeded, bytes, problem FROM backups ORDER BY at DESC",
        static row => new BackupNote(
            row.GetString(0),
            DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
            row.IsDBNull(2) ? null : DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
            row.GetInt64(3),
            row.IsDBNull(4) ? null : row.GetString(4)));

    /// <summary>Notes that one has succeeded.</summary>
    public void Succeeded(string way, DateTimeOffset now, long bytes) => _state.Execute(
        "INSERT OR REPLACE INTO backups (way, at, succeeded, bytes, problem) VALUES ($0, $1, $1, $2, NULL)", way, now.ToUnixTimeMilliseconds(), bytes);

    /// <summary>Notes that one has failed. The former success stays noted.</summary>
    public void Failed(string way, DateTimeOffset now, string problem) => _state.Execute(
        "INSERT INTO backups (way, at, succeeded, bytes, problem) VALUES ($0, $1, NULL, 0, $2) ON CONFLICT (way) DO UPDATE SET at = $1, problem = $2",
        way,
        now.ToUnixTimeMilliseconds(),
        problem);
}
