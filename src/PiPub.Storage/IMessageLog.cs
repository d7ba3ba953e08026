using PiPub.Scuttlebutt.Feeds;
using PiPub.Storage.Log;

namespace PiPub.Storage;

/// <summary>A message as the log keeps it.</summary>
/// <param name="Message">The verified message.</param>
/// <param name="ReceivedAt">When this box received it, in milliseconds since 1970.</param>
/// <param name="Position">Where its record begins in the log; grows with every message, has no other meaning.</param>
/// <param name="End">Where its record ends, which is where the next one begins.</param>
public sealed record LogRecord(Message Message, long ReceivedAt, long Position, long End);

/// <summary>
/// The message log: the only truth. Verified messages in the order of arrival, never changed.
/// One writer at a time; any number of readers beside it. Who waits for new messages waits on the
/// <see cref="MessageStore"/>, which has indexed them before it wakes anyone.
/// </summary>
public interface IMessageLog : IAsyncDisposable
{
    /// <summary>The position after the last message that is safely stored; 0 for an empty log.</summary>
    long End { get; }

    /// <summary>
    /// Appends a batch with one flush to the disk (group commit). When it returns, the messages survive a pulled plug;
    /// when it throws, none of them is in the log. Readers see them only then.
    /// </summary>
    /// <returns>The records, in the order given.</returns>
    /// <exception cref="IOException">The disk is full or failing. The log stays as it was.</exception>
    ValueTask<IReadOnlyList<LogRecord>> AppendAsync(IReadOnlyList<Message> messages, long receivedAt, CancellationToken cancellationToken);

    /// <summary>Reads the record at a position that an append or a scan gave.</summary>
    /// <exception cref="LogDamagedException">The bytes there are not what was written, or the position is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The log ends before the position.</exception>
    LogRecord Read(long position);

    /// <summary>Reads only the value (compact JSON) of the record at <paramref name="position"/>: the hot path of sending.</summary>
    /// <exception cref="LogDamagedException">The bytes there are not what was written, or the position is none.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The log ends before the position.</exception>
    ReadOnlyMemory<byte> ReadValue(long position);

    /// <summary>Reads records in order from <paramref name="position"/> to the end as it is now, without following it.</summary>
    /// <exception cref="LogDamagedException">The bytes of a record are not what was written.</exception>
    IEnumerable<LogRecord> Scan(long position);
}
