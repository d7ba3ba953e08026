namespace PiPub.Storage.State;

/// <summary>What came of the last import, so that it can still be read after the restart that an import may end with.</summary>
public sealed class ImportTable
{
    private readonly StateDatabase _state;

    /// <summary>Creates the table if it is missing.</summary>
    public ImportTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS last_import (one INTEGER PRIMARY KEY CHECK (one = 1), result TEXT NOT NULL)");
    }

    /// <summary>The result as JSON, as it was written; null when there is none.</summary>
    public string? Result
    {
        get => _state.Query("SELECT result FROM last_import", row => row.GetString(0)) is [var result] ? result : null;
        set
        {
            if (value is null)
            {
                _state.Execute("DELETE FROM last_import");
            }
            else
            {
                _state.Execute("INSERT OR REPLACE INTO last_import (one, result) VALUES (1, $0)", value);
            }
        }
    }
}
