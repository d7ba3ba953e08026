using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Intake;

/// <summary>
/// Verified messages that came before their predecessors did, kept for a while: replies that overtake each other are no forks.
/// Bounded per feed and in total.
/// </summary>
internal sealed class GapWindow(int perFeed, int inTotal, TimeSpan age, TimeProvider time)
{
    private readonly Dictionary<FeedId, Feed> _feeds = [];

    /// <summary>The number of messages that wait.</summary>
    public int Count { get; private set; }

    /// <summary>The message that waits at a place, or null.</summary>
    public Message? At(FeedId feed, int sequence) =>
        Count > 0 && _feeds.TryGetValue(feed, out var waiting) && waiting.Messages.TryGetValue(sequence, out var message) ? message : null;

    /// <summary>Keeps a message that is beyond <paramref name="tip"/>; false when there is no room for it.</summary>
    public bool TryAdd(Message message, int tip)
    {
        if (message.Sequence - tip > perFeed || (Count >= inTotal && !DropOld()))
        {
            return false;
        }

        if (!_feeds.TryGetValue(message.Author, out var waiting))
        {
            _feeds.Add(message.Author, waiting = new Feed());
        }

        waiting.Touched = time.GetTimestamp();
        if (waiting.Messages.TryAdd(message.Sequence, message))
        {
            Count++;
        }

        return true;
    }

    /// <summary>Takes out the message of a place, if it waits.</summary>
    public Message? Take(FeedId feed, int sequence)
    {
        if (Count == 0 || !_feeds.TryGetValue(feed, out var waiting) || !waiting.Messages.Remove(sequence, out var message))
        {
            return null;
        }

        Count--;
        if (waiting.Messages.Count == 0)
        {
            _feeds.Remove(feed);
        }

        return message;
    }

    /// <summary>Forgets what waits of a feed.</summary>
    public void Drop(FeedId feed)
    {
        if (_feeds.Remove(feed, out var waiting))
        {
            Count -= waiting.Messages.Count;
        }
    }

    private bool DropOld()
    {
        foreach (var (feed, waiting) in _feeds)
        {
            if (time.GetElapsedTime(waiting.Touched) >= age)
            {
                Drop(feed);
            }
        }

        return Count < inTotal;
    }

    private sealed class Feed
    {
        public Dictionary<int, Message> Messages { get; } = [];

        public long Touched { get; set; }
    }
}
