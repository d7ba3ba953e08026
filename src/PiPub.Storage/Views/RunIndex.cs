using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace PiPub.Storage.Views;

/// <summary>
/// An index in sorted runs: new entries gather in memory, are written as one run, and runs of like size are merged.
/// </summary>
/// <remarks>
/// A B-tree would be simpler and, since ids arrive in random order, would rewrite a page for nearly every message: that
/// wears out an SD card. Runs are written once and packed (<see cref="IndexBlock"/>), 3 to 8 bytes an entry; merging
/// eight into one keeps their number, and with it the cost of a search, at about eight for each factor of eight in size.
/// All under the database's gate.
/// </remarks>
internal sealed class RunIndex
{
    private const int MergeAtOnce = 8;
    private const int SmallestLevel = 4096; // entries; smaller runs count as of one size

    private readonly ViewDatabase _database;
    private readonly string _name;
    private readonly List<Run> _runs = [];
    private readonly List<IndexEntry> _pending = [];
    private bool _pendingIsSorted = true;

    public RunIndex(ViewDatabase database, string name)
    {
        _database = database;
        _name = name;
    }

    /// <summary>Where all indexes note their runs.</summary>
    public static string RunsSchema =>
        "CREATE TABLE runs (name TEXT NOT NULL, run INTEGER NOT NULL, entries INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (name, run)) WITHOUT ROWID";

    /// <summary>The number of entries, pending ones included.</summary>
    public long Count => _runs.Sum(static run => run.Entries) + _pending.Count;

    /// <summary>The number of runs that a search looks at.</summary>
    public int RunCount => _runs.Count;

    /// <summary>The table of an index.</summary>
    public static string Schema(string name) =>
        $"CREATE TABLE {name} (run INTEGER NOT NULL, key INTEGER NOT NULL, position INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (run, key, position)) WITHOUT ROWID";

    /// <summary>Starts over from what is committed.</summary>
    public void Load()
    {
        _runs.Clear();
        _pending.Clear();
        _pendingIsSorted = true;
        using var reader = _database.Statement("SELECT name, run, entries, checksum FROM runs WHERE name = $0 ORDER BY run", _name).ExecuteReader();
        while (reader.Read())
        {
            RowChecksum.Check(reader);
            _runs.Add(new Run(reader.GetInt64(1), reader.GetInt64(2)));
        }
    }

    public void Add(in IndexEntry entry)
    {
        _pendingIsSorted &= _pending.Count == 0 || _pending[^1] <= entry;
        _pending.Add(entry);
    }

    /// <summary>Writes what is pending as a run, and merges where enough runs of a size have gathered.</summary>
    public void Flush()
    {
        if (_pending.Count == 0)
        {
            return;
        }

        SortPending();
        Write(_pending);
        _pending.Clear();
        while (MergeCandidates() is { } candidates)
        {
            Write(Merge(candidates));
            foreach (var run in candidates)
            {
                _database.Execute($"DELETE FROM {_name} WHERE run = $0", run.Number);
                _database.Execute("DELETE FROM runs WHERE name = $0 AND run = $1", _name, run.Number);
                _runs.Remove(run);
            }
        }
    }

    /// <summary>
    /// Entries from <paramref name="from"/> to before <paramref name="to"/>: the first <paramref name="max"/>, or the last
    /// ones when <paramref name="reverse"/>, then in falling order.
    /// </summary>
    public List<IndexEntry> Page(in IndexEntry from, in IndexEntry to, bool reverse, int max)
    {
        var found = new List<IndexEntry>();
        SortPending();
        var pending = CollectionsMarshal.AsSpan(_pending);
        var (low, high) = (LowerBound(pending, from), LowerBound(pending, to));
        found.AddRange(high <= low ? [] : reverse ? pending[Math.Max(low, high - max)..high] : pending[low..Math.Min(high, low + max)]);
        foreach (var run in _runs)
        {
            if (reverse)
            {
                CollectLast(run, from, to, max, found);
            }
            else
            {
                CollectFirst(run, from, to, max, found);
            }
        }

        found.Sort();
        if (reverse)
        {
            found.Reverse();
        }

        if (found.Count > max)
        {
            found.RemoveRange(max, found.Count - max);
        }

        return found;
    }

    /// <summary>Every written entry in order, pending ones left out.</summary>
    public IEnumerable<IndexEntry> Written() => Merge(_runs);

    private static int LowerBound(ReadOnlySpan<IndexEntry> entries, in IndexEntry bound)
    {
        var (low, high) = (0, entries.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (entries[middle] < bound)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private void SortPending()
    {
        if (!_pendingIsSorted)
        {
            _pending.Sort();
            _pendingIsSorted = true;
        }
    }

    private void CollectFirst(Run run, in IndexEntry from, in IndexEntry to, int max, List<IndexEntry> found)
    {
        // The entry looked for may lie inside the last block that begins before it.
        var start = from;
        using (var floor = _database.Statement(
            $"SELECT key, position FROM {_name} WHERE run = $0 AND (key, position) < ($1, $2) ORDER BY key DESC, position DESC LIMIT 1",
            run.Number, from.Key, from.Position).ExecuteReader())
        {
            if (floor.Read())
            {
                start = new IndexEntry(floor.GetInt64(0), floor.GetInt64(1));
            }
        }

        using var blocks = _database.Statement(
            $"SELECT key, position, data FROM {_name} WHERE run = $0 AND (key, position) >= ($1, $2) ORDER BY key, position",
            run.Number, start.Key, start.Position).ExecuteReader();
        var block = new List<IndexEntry>();
        while (max > 0 && Next(blocks, block))
        {
            foreach (var entry in block)
            {
                if (entry >= to || max == 0)
                {
                    return;
                }

                if (entry >= from)
                {
                    found.Add(entry);
                    max--;
                }
            }
        }
    }

    private void CollectLast(Run run, in IndexEntry from, in IndexEntry to, int max, List<IndexEntry> found)
    {
        using var blocks = _database.Statement(
            $"SELECT key, position, data FROM {_name} WHERE run = $0 AND (key, position) <= ($1, $2) ORDER BY key DESC, position DESC",
            run.Number, to.Key, to.Position).ExecuteReader();
        var block = new List<IndexEntry>();
        while (max > 0 && Next(blocks, block))
        {
            for (var i = block.Count - 1; i >= 0 && max > 0; i--)
            {
                if (block[i] < from)
                {
                    return;
                }

                if (block[i] < to)
                {
                    found.Add(block[i]);
                    max--;
                }
            }
        }
    }

    private static bool Next(SqliteDataReader blocks, List<IndexEntry> block)
    {
        block.Clear();
        if (!blocks.Read())
        {
            return false;
        }

        IndexBlock.Read(blocks.GetFieldValue<byte[]>(2), blocks.GetInt64(0), blocks.GetInt64(1), block);
        return true;
    }

    private void Write(IEnumerable<IndexEntry> entries)
    {
        var number = _runs.Count == 0 ? 1 : _runs[^1].Number + 1;
        var buffer = new byte[IndexBlock.MaxBytes];
        var block = new IndexBlock(buffer);
        long count = 0;
        foreach (var entry in entries)
        {
            if (block.IsFull)
            {
                Write(number, ref block);
            }

            block.Add(entry);
            count++;
        }

        Write(number, ref block);
        _database.Execute("INSERT INTO runs VALUES ($0, $1, $2, $3)", _name, number, count, RowChecksum.Of(_name, number, count));
        _runs.Add(new Run(number, count));
    }

    private void Write(long run, ref IndexBlock block)
    {
        var first = block.First;
        _database.Execute($"INSERT INTO {_name} VALUES ($0, $1, $2, $3)", run, first.Key, first.Position, block.Take());
    }

    private List<Run>? MergeCandidates() => _runs
        .GroupBy(static run => (int)Math.Log(Math.Max(1, run.Entries / (double)SmallestLevel), MergeAtOnce))
        .Where(static level => level.Count() >= MergeAtOnce)
        .Select(static level => level.ToList())
        .FirstOrDefault();

    private IEnumerable<IndexEntry> Merge(List<Run> runs)
    {
        var queue = new PriorityQueue<IEnumerator<IndexEntry>, IndexEntry>();
        try
        {
            foreach (var run in runs)
            {
                var entries = Entries(run).GetEnumerator();
                if (entries.MoveNext())
                {
                    queue.Enqueue(entries, entries.Current);
                }
            }

            while (queue.TryPeek(out var first, out var entry))
            {
                yield return entry;
                if (first.MoveNext())
                {
                    queue.DequeueEnqueue(first, first.Current);
                }
                else
                {
                    queue.Dequeue().Dispose();
                }
            }
        }
        finally
        {
            while (queue.TryDequeue(out var left, out _))
            {
                left.Dispose();
            }
        }
    }

    private IEnumerable<IndexEntry> Entries(Run run)
    {
        using var statement = _database.OwnStatement($"SELECT key, position, data FROM {_name} WHERE run = $0 ORDER BY key, position", run.Number);
        using var blocks = statement.ExecuteReader();
        var block = new List<IndexEntry>();
        while (Next(blocks, block))
        {
            foreach (var entry in block)
            {
                yield return entry;
            }
        }
    }

    private readonly record struct Run(long Number, long Entries);
}
