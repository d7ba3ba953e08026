using PiPub.Scuttlebutt.Feeds.Classic;

namespace PiPub.Scuttlebutt.LegacyLogs;

/// <summary>Which program's log it is.</summary>
public enum LegacyLogKind
{
    /// <summary><c>log.offset</c> of ssb-server and Patchwork (flumelog-offset).</summary>
    Flume,

    /// <summary><c>log.bipf</c> of ssb-db2 (async-append-only-log).</summary>
    AppendOnly,
}

/// <summary>A message out of another program's log.</summary>
/// <param name="Offset">Where its record begins, in bytes.</param>
/// <param name="Value">The bare value as compact JSON, unverified. It belongs to whoever received it.</param>
public readonly record struct LegacyRecord(long Offset, ReadOnlyMemory<byte> Value);

/// <summary>A place in a log where no record could be read.</summary>
/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="Length">How much was passed over, in bytes.</param>
/// <param name="What">What is wrong there, in words.</param>
public readonly record struct LegacyDamage(long Offset, long Length, string What);

/// <summary>
/// Reads the log of another Scuttlebutt program from its beginning to its end: one pass, a bounded window of it in memory.
/// Nothing it reads is believed; whoever takes the messages verifies them.
/// </summary>
public abstract class LegacyLogReader
{
    /// <summary>The most damages that are kept with their places; all are counted.</summary>
    public const int MaxDamagesKept = 100;

    /// <summary>How much of a log <see cref="TryRecognise"/> wants to see, in bytes.</summary>
    public const int HeadBytes = 16;

    private readonly List<LegacyDamage> _damages = [];

    private protected LegacyLogReader(Stream stream) => Window = new ByteWindow(stream);

    /// <summary>Bytes of the log that are behind the reader.</summary>
    public long Position => Window.Position;

    /// <summary>Records that their program had overwritten with zeros.</summary>
    public long Deleted { get; private protected set; }

    /// <summary>How many places were damaged.</summary>
    public long DamageCount { get; private set; }

    /// <summary>The first damaged places.</summary>
    public IReadOnlyList<LegacyDamage> Damages => _damages;

    private protected ByteWindow Window { get; }

    /// <summary>Makes the reader for a kind of log.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="stream">The log's bytes from its beginning. It stays open.</param>
    public static LegacyLogReader Create(LegacyLogKind kind, Stream stream) =>
        kind == LegacyLogKind.Flume ? new FlumeLogReader(stream) : new AppendOnlyLogReader(stream);

    /// <summary>Tells which kind of log it is by how it begins, or, where that is damaged, by its file's name.</summary>
    /// <param name="head">Its first <see cref="HeadBytes"/> bytes, or all if there are fewer.</param>
    /// <param name="name">The name of its file.</param>
    /// <param name="kind">Which.</param>
    public static bool TryRecognise(ReadOnlySpan<byte> head, string name, out LegacyLogKind kind)
    {
        ArgumentNullException.ThrowIfNull(name);
        kind = LegacyLogKind.Flume;
        if (FlumeLogReader.LooksLikeOne(head) || name.EndsWith(".offset", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        kind = LegacyLogKind.AppendOnly;
        return AppendOnlyLogReader.LooksLikeOne(head) || name.EndsWith(".bipf", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Reads the next message; false at the end of the log.</summary>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public abstract bool TryRead(out LegacyRecord record);

    private protected void Damaged(long offset, long length, string what)
    {
        DamageCount++;
        if (_damages.Count < MaxDamagesKept)
        {
            _damages.Add(new LegacyDamage(offset, length, what));
        }
    }

    private protected static bool TryUnwrap(ReadOnlyMemory<byte> json, out ReadOnlyMemory<byte> value) => ClassicFeed.TryUnwrap(json, out value);
}
