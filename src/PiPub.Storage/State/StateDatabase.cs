using Microsoft.Data.Sqlite;
using PiPub.Storage.Sqlite;

namespace PiPub.Storage.State;

/// <summary>
/// The small things that are true although no message says so (invites, the private replicate list, known addresses,
/// pins, fork proofs): one SQLite file, <c>state.sqlite</c>, written durably. Unlike the views it must never be deleted.
/// </summary>
/// <remarks>
/// One connection behind one lock: these tables are small and seldom written. Each capability keeps its own table in a
/// class of its own beside this one, which creates it if missing.
/// </remarks>
public sealed class StateDatabase : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SqliteConnection _connection;
    private bool _isInTransaction;

    private StateDatabase(SqliteConnection connection) => _connection = connection;

    /// <summary>Opens or makes <c>state.sqlite</c> in the data directory.</summary>
    /// <exception cref="SqliteException">The file is damaged or cannot be opened.</exception>
    public static StateDatabase Open(string dataDirectory)
    {
        var connection = SqliteLibrary.Open(Path.Combine(dataDirectory, "state.sqlite"));
        var state = new StateDatabase(connection);
        state.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-512;");
        return state;
    }

    /// <summary>Runs statements with parameters named <c>$0</c>, <c>$1</c>, ... and returns the number of rows changed.</summary>
    public int Execute(string sql, params ReadOnlySpan<object?> parameters)
    {
        lock (_gate)
        {
            using var command = Command(sql, parameters);
            return command.ExecuteNonQuery();
        }
    }

    /// <summary>Reads rows with parameters named <c>$0</c>, <c>$1</c>, ...; a returning statement may change data too.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> row, params ReadOnlySpan<object?> parameters)
    {
        ArgumentNullException.ThrowIfNull(row);
        lock (_gate)
        {
            using var command = Command(sql, parameters);
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read())
            {
                rows.Add(row(reader));
            }

            return rows;
        }
    }

    /// <summary>
    /// Runs <paramref name="work"/> in one transaction: all of it is kept, or nothing. Inside another one it becomes part of that.
    /// </summary>
    public T InTransaction<T>(Func<T> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        lock (_gate)
        {
            if (_isInTransaction)
            {
                return work();
            }

            Execute("BEGIN IMMEDIATE");
            _isInTransaction = true;
            try
            {
                var result = work();
                Execute("COMMIT");
                return result;
            }
            catch
            {
                Execute("ROLLBACK");
                throw;
            }
            finally
            {
                _isInTransaction = false;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _connection.Dispose();
        }
    }

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < parameters.Length; i++)
        {
            command.Parameters.AddWithValue("$" + i, parameters[i] ?? DBNull.Value);
        }

        return command;
    }
}
