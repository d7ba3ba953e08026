using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Verification;

/// <summary>Whether the end of the log is what it should be: the newest messages of the feeds that wrote last are read and verified again.</summary>
/// <remarks>The last record of the log is always the newest message of its feed, so that the end itself is among them.</remarks>
public static class LogTailCheck
{
    /// <summary>At most so many messages are read.</summary>
    public const int Most = 32;

    /// <summary>Reads them.</summary>
    /// <returns>How many messages were verified.</returns>
    /// <exception cref="InvalidDataException">One is damaged, or the log does not end where it should; the message is for a person.</exception>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public static int Verify(MessageStore store, HmacKey? hmacKey)
    {
        ArgumentNullException.ThrowIfNull(store);
        var end = store.End;
        var last = new PriorityQueue<long, long>(Most + 1);
        foreach (var (feed, sequence) in store.Sequences())
        {
            var position = store.PositionOf(feed, sequence);
            last.Enqueue(position, position);
            if (last.Count > Most)
            {
                _ = last.Dequeue();
            }
        }

        var reached = 0L;
        var verified = 0;
        while (last.TryDequeue(out var position, out _))
        {
            var record = store.Log.Read(position);
            if (!ClassicFeed.TryVerify(record.Message.Value, hmacKey, out var message, out var reason))
            {
                throw new InvalidDataException($"Message {record.Message.Sequence} of {record.Message.Author} in the log is damaged: {reason}. `pipub verify` says more.");
            }

            if (message.Id != record.Message.Id)
            {
                throw new InvalidDataException($"The log holds message {message.Id} in the place of {record.Message.Id}. `pipub verify` says more.");
            }

            reached = record.End;
            verified++;
        }

        // What was appended meanwhile lies beyond; less than there was must not be.
        return reached >= end ? verified : throw new InvalidDataException($"The log ends at {end}, but its newest message at {reached}. `pipub verify` says more.");
    }
}
