using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.State;

/// <summary>Two messages, both signed by their author, that cannot both belong to one feed.</summary>
/// <param name="Feed">The feed.</param>
/// <param name="Sequence">The place that they contend for.</param>
/// <param name="Held">The value that this box holds there (compact JSON).</param>
/// <param name="Other">
/// The value that contradicts it: one of the same sequence, or one that follows a different message of that sequence.
/// </param>
/// <param name="SeenAt">When it was seen, in milliseconds since 1970.</param>
public sealed record ForkProof(FeedId Feed, int Sequence, ReadOnlyMemory<byte> Held, ReadOnlyMemory<byte> Other, long SeenAt);

/// <summary>The feeds that have forked, with the proof for each. A forked feed stays as it was when the fork was seen.</summary>
/// <remarks>The set of feeds is in memory: the intake asks it for every message.</remarks>
public sealed class ForkTable
{
    private readonly StateDatabase _state;
    private readonly ConcurrentDictionary<FeedId, int> _forked = new();

    /// <summary>Opens the table, made if missing.</summary>
    public ForkTable(StateDatabase state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _state = state;
        state.Execute("CREATE TABLE IF NOT EXISTS forks (feed BLOB PRIMARY KEY, sequence INTEGER NOT NULL, held BLOB NOT NULL, other BLOB NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID");
        foreach (var (feed, sequence) in state.Query("SELECT feed, sequence FROM forks", row => (new FeedId((byte[])row[0]), row.GetInt32(1))))
        {
            _forked[feed] = sequence;
        }
    }

    /// <summary>The number of feeds that have forked.</summary>
    public int Count => _forked.Count;

    /// <summary>Tells whether a feed has forked.</summary>
    public bool IsForked(FeedId feed) => _forked.ContainsKey(feed);

    /// <summary>The sequence at which a feed has forked, or 0.</summary>
    public int SequenceOf(FeedId feed) => _forked.GetValueOrDefault(feed);

    /// <summary>
    /// Keeps a proof; only the first of a feed. From then on the feed counts as forked, even when the disk refuses the proof.
    /// </summary>
    /// <exception cref="SqliteException">The proof could not be written; it counts until the next start only.</exception>
    public void Add(ForkProof proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (_forked.TryAdd(proof.Feed, proof.Sequence))
        {
            _state.Execute(
                "INSERT OR IGNORE INTO forks (feed, sequence, held, other, seen_at) VALUES ($0, $1, $2, $3, $4)",
                proof.Feed.Bytes.ToArray(),
                proof.Sequence,
                proof.Held.ToArray(),
                proof.Other.ToArray(),
                proof.SeenAt);
        }
    }

    /// <summary>The proof that a feed has forked, or null.</summary>
    public ForkProof? ProofOf(FeedId feed) => Read("WHERE feed = $0", feed.Bytes.ToArray()) is [var proof] ? proof : null;

    /// <summary>Every proof.</summary>
    public IReadOnlyList<ForkProof> All() => Read("");

    /// <summary>Forgets that a feed has forked, because a person said so; false when it had not.</summary>
    public bool Remove(FeedId feed)
    {
        _state.Execute("DELETE FROM forks WHERE feed = $0", feed.Bytes.ToArray());
        return _forked.TryRemove(feed, out _);
    }

    private List<ForkProof> Read(string where, params ReadOnlySpan<object?> parameters) => _state.Query(
        "SELECT feed, sequence, held, other, seen_at FROM forks " + where,
        row => new ForkProof(new FeedId((byte[])row[0]), row.GetInt32(1), (byte[])row[2], (byte[])row[3], row.GetInt64(4)),
        parameters);
}
