using System.Text.RegularExpressions;

namespace PiPub.Storage.State;

/// <summary>What becomes of a table of <c>state.sqlite</c> when the box is backed up and put back elsewhere.</summary>
public enum TableRole
{
    /// <summary>It goes into the backup.</summary>
    Kept,

    /// <summary>It belongs to the machine: a backup does not hold it, and putting one back leaves it as it is there.</summary>
    OfMachine,

    /// <summary>It is made again from what is kept, or not worth keeping: a backup does not hold it, and putting one back empties it.</summary>
    MadeAgain,
}

/// <summary>A table and its role.</summary>
/// <param name="Name">The table's name.</param>
/// <param name="Role">What becomes of it.</param>
/// <param name="Why">Why, for the next who asks.</param>
/// <param name="Rows">Which rows go into the backup, as SQL of what follows WHERE ($0 the box's feed, $1 its owner's); null for all.</param>
public sealed record StateTable(string Name, TableRole Role, string Why, string? Rows = null);

/// <summary>
/// Every table of <c>state.sqlite</c> with its role in a backup. Whoever adds a table adds its line here; a test fails otherwise.
/// </summary>
public static partial class StateTables
{
    /// <summary>The tables.</summary>
    public static IReadOnlyList<StateTable> All { get; } =
    [
        new("owner", TableRole.Kept, "Whose box it is."),
        new("invites", TableRole.Kept, "An invite in somebody's pocket must stay good."),
        new("invite_uses", TableRole.Kept, "Or a spent invite would be good again."),
        new("replicate", TableRole.Kept, "The private replicate list."),
        new("known_addresses", TableRole.Kept, "Where the peers are from whom the own feed comes back."),
        new("forks", TableRole.Kept, "The proof of a fork may not come by a second time."),
        new("blobs", TableRole.Kept, "Pins, and on whose account the blobs in the backup are.", "pinned = 1 OR author = $0 OR author = $1"),
        new("blob_denials", TableRole.Kept, "What the owner never wants to keep."),
        new("own_feed", TableRole.MadeAgain, "Written anew: a box that was put back must first recover its feed."),
        new("blob_wants", TableRole.MadeAgain, "Found in the messages again."),
        new("blob_refusals", TableRole.MadeAgain, "For a while only."),
        new("blob_pushes", TableRole.MadeAgain, "Who needs them asks for them."),
        new("blob_cursor", TableRole.MadeAgain, "A position in a log that will be another one."),
        new("last_import", TableRole.MadeAgain, "What came of an import is told once."),
        new("web_password", TableRole.OfMachine, "The box is claimed anew where it is put back, and its password is that claim's."),
        new("web_sessions", TableRole.OfMachine, "Browsers are signed in to a machine."),
        new("web_app_sessions", TableRole.OfMachine, "As sessions are."),
        new("web_api_token", TableRole.OfMachine, "As sessions are."),
        new("web_choices", TableRole.OfMachine, "Whether HTTP leads to HTTPS, whose authority is the machine's."),
        new("backups", TableRole.OfMachine, "When this machine was backed up last."),
    ];

    /// <summary>The line of a table; null when nobody wrote one.</summary>
    public static StateTable? Find(string name)
    {
        foreach (var table in All)
        {
            if (table.Name == name)
            {
                return table;
            }
        }

        return null;
    }

    /// <summary>The tables that a database has, SQLite's own left out, in the order of their names.</summary>
    public static IReadOnlyList<string> In(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name", static row => row.GetString(0));
    }

    /// <summary>A table's columns, in order; none when there is no such table.</summary>
    public static IReadOnlyList<string> ColumnsOf(StateDatabase state, string table)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Query("SELECT name FROM pragma_table_info($0)", static row => row.GetString(0), table);
    }

    /// <summary>Reads rows of a table as they are: null, long, double, string or bytes in the order of its columns.</summary>
    public static IReadOnlyList<object?[]> RowsOf(StateDatabase state, string table, IReadOnlyList<string> columns, string? rows = null, params ReadOnlySpan<object?> parameters)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(columns);
        return state.Query<object?[]>(
            $"SELECT {Names(columns)} FROM {Name(table)}" + (rows is null ? "" : " WHERE " + rows),
            row =>
            {
                var values = new object?[row.FieldCount];
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = row.IsDBNull(i) ? null : row.GetValue(i);
                }

                return values;
            },
            parameters);
    }

    /// <summary>Writes rows into a table, over those that are there with the same key. Columns that the table does not have are passed over.</summary>
    public static void Write(StateDatabase state, string table, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<object?>> rows)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(rows);
        var known = ColumnsOf(state, table);
        var taken = Enumerable.Range(0, columns.Count).Where(i => known.Contains(columns[i])).ToList();
        if (taken.Count == 0)
        {
            return;
        }

        var sql = $"INSERT OR REPLACE INTO {Name(table)} ({Names([.. taken.Select(i => columns[i])])}) VALUES ({string.Join(", ", taken.Select(static (_, at) => "$" + at))})";
        foreach (var row in rows)
        {
            _ = state.Execute(sql, [.. taken.Select(i => row[i])]);
        }
    }

    /// <summary>
    /// Copies the machine's own tables from one database into another: what putting a backup back leaves as it is.
    /// </summary>
    public static void CopyOfMachine(StateDatabase from, StateDatabase to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        foreach (var table in All)
        {
            if (table.Role != TableRole.OfMachine
                || from.Query("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = $0", static row => row.GetString(0), table.Name) is not [var sql])
            {
                continue;
            }

            if (ColumnsOf(to, table.Name).Count == 0)
            {
                _ = to.Execute(sql);
            }

            var columns = ColumnsOf(from, table.Name);
            Write(to, table.Name, columns, RowsOf(from, table.Name, columns));
        }
    }

    private static string Names(IReadOnlyList<string> columns) => string.Join(", ", columns.Select(Name));

    /// <summary>A name as SQL has it. Names come from this program and its database; anything else is a mistake.</summary>
    private static string Name(string name) => PlainName().IsMatch(name) ? $"\"{name}\"" : throw new ArgumentException($"{name} is no name of a table or column.", nameof(name));

    [GeneratedRegex("^[a-z_][a-z0-9_]*$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainName();
}
