using Microsoft.Data.Sqlite;
using PiPub.Storage.Sqlite;

namespace PiPub.Storage.Views;

/// <summary>
/// The file <c>views.sqlite</c>: derived from the log, so any doubt about it is settled by making it again.
/// </summary>
/// <remarks>
/// One connection, used under <see cref="Gate"/> by the indexing thread and the readers, so that readers see what is not
/// yet committed. A journal of what is overwritten, not a write-ahead log: commits are few and large and mostly add to the end
/// of the file, which this way is written once and not twice. A crash loses at most what was not yet committed, which is
/// indexed again. The data directory's lock keeps other processes away.
/// </remarks>
internal sealed class ViewDatabase : IDisposable
{
    /// <summary>Raised whenever what is stored changes its meaning: an older file is made again.</summary>
    private const long SchemaVersion = 2;

    private readonly string _path;
    private readonly string _schema;
    private readonly Dictionary<string, SqliteCommand> _statements = new(StringComparer.Ordinal);
    private SqliteConnection? _connection;
    private bool _inTransaction;

    /// <summary>Opens the file, or makes it anew when it is missing, damaged, or of another version.</summary>
    public ViewDatabase(string path, string schema)
    {
        _path = path;
        _schema = schema;
        try
        {
            Open();
        }
        catch (SqliteException)
        {
            Recreate();
        }
    }

    /// <summary>Held by whoever uses the database.</summary>
    public Lock Gate { get; } = new();

    /// <summary>True when an error means that the file itself is at fault.</summary>
    public static bool IsDamage(Exception error) => error is ViewDamagedException or SqliteException { SqliteErrorCode: 11 or 26 or 1 };

    /// <summary>Throws the file away and makes an empty one.</summary>
    public void Recreate()
    {
        Close();
        foreach (var suffix in (ReadOnlySpan<string>)["", "-wal", "-shm", "-journal"])
        {
            File.Delete(_path + suffix);
        }

        Open();
    }

    /// <summary>A statement, prepared once, with its parameters <c>$0</c>, <c>$1</c>, ... set.</summary>
    public SqliteCommand Statement(string sql, params ReadOnlySpan<object> parameters)
    {
        if (!_statements.TryGetValue(sql, out var statement))
        {
            statement = Prepare(sql, parameters.Length);
            _statements.Add(sql, statement);
        }

        Set(statement, parameters);
        return statement;
    }

    /// <summary>The same, not shared: for reading that goes on while the statement is used elsewhere. The caller disposes it.</summary>
    public SqliteCommand OwnStatement(string sql, params ReadOnlySpan<object> parameters)
    {
        var statement = Prepare(sql, parameters.Length);
        Set(statement, parameters);
        return statement;
    }

    /// <summary>Runs a statement that changes something, in the transaction that <see cref="Commit"/> ends.</summary>
    public void Execute(string sql, params ReadOnlySpan<object> parameters)
    {
        if (!_inTransaction)
        {
            Statement("BEGIN").ExecuteNonQuery();
            _inTransaction = true;
        }

        Statement(sql, parameters).ExecuteNonQuery();
    }

    /// <summary>Keeps what was changed since the last time.</summary>
    public void Commit()
    {
        if (_inTransaction)
        {
            Statement("COMMIT").ExecuteNonQuery();
            _inTransaction = false;
        }
    }

    /// <summary>Forgets what was changed since the last commit.</summary>
    public void Rollback()
    {
        // Closing does it in every state that an error can leave behind.
        Close();
        Open();
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private static void Set(SqliteCommand statement, ReadOnlySpan<object> parameters)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            statement.Parameters[i].Value = parameters[i];
        }
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        var statement = _connection!.CreateCommand();
        statement.CommandText = sql;
        for (var i = 0; i < parameters; i++)
        {
            statement.Parameters.Add(new SqliteParameter { ParameterName = "$" + i });
        }

        return statement;
    }

    private void Open()
    {
        _connection = SqliteLibrary.Open(_path);
        Run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=PERSIST; PRAGMA synchronous=FULL; PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY;");
        var version = (long)Run("PRAGMA user_version")!;
        if (version == 0 && (long)Run("SELECT count(*) FROM sqlite_master")! == 0)
        {
            Run($"BEGIN; {_schema}; PRAGMA user_version={SchemaVersion}; COMMIT;");
        }
        else if (version != SchemaVersion)
        {
            Recreate();
        }
    }

    private object? Run(string sql)
    {
        using var command = _connection!.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private void Close()
    {
        foreach (var statement in _statements.Values)
        {
            statement.Dispose();
        }

        _statements.Clear();
        _connection?.Dispose();
        _connection = null;
        _inTransaction = false;
    }
}
