using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>
/// The messages that were appended last, by feed and sequence: what goes out to many peers at once is not read from the
/// log for each of them. A fixed number of slots; a newer message takes the slot of an older one.
/// </summary>
internal sealed class RecentMessages
{
    private const int Slots = 256;

    private readonly LogRecord?[] _records = new LogRecord?[Slots];

    public void Add(LogRecord record) =>
        Volatile.Write(ref _records[Slot(record.Message.Author, record.Message.Sequence)], record);

    public bool TryGet(FeedId feed, int sequence, out ReadOnlyMemory<byte> value)
    {
        if (Volatile.Read(ref _records[Slot(feed, sequence)]) is { } record
            && record.Message.Sequence == sequence && record.Message.Author == feed)
        {
            value = record.Message.Value;
            return true;
        }

        value = default;
        return false;
    }

    private static int Slot(FeedId feed, int sequence) => (feed.GetHashCode() + sequence) & (Slots - 1);
}
