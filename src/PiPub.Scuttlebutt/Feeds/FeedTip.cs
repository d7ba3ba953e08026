using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds;

/// <summary>The newest message of a feed: all that is needed to judge the next one.</summary>
/// <param name="Sequence">Its sequence; 0 for a feed of which nothing is held.</param>
/// <param name="Id">Its id; zero when nothing is held.</param>
public readonly record struct FeedTip(int Sequence, MessageId Id)
{
    /// <summary>Where <paramref name="message"/> stands against this tip. Source: ssb-validate, checkInvalidCheap.</summary>
    public FeedOrder Judge(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.Sequence <= Sequence)
        {
            return message.Sequence == Sequence && message.Id != Id ? FeedOrder.Fork : FeedOrder.Known;
        }

        if (message.Sequence > Sequence + 1)
        {
            return FeedOrder.Gap;
        }

        return message.Previous == Id ? FeedOrder.Next : FeedOrder.Fork;
    }
}

/// <summary>Where a verified message stands against the newest one held of its feed.</summary>
public enum FeedOrder
{
    /// <summary>It follows directly and may be appended.</summary>
    Next,

    /// <summary>Its sequence is held already. For older ones than the tip, whoever knows the log compares ids to find forks.</summary>
    Known,

    /// <summary>Messages between are missing; it may be kept for a while, it is no fork.</summary>
    Gap,

    /// <summary>It contradicts what is held: two messages with one sequence, or a wrong previous. The feed must stop.</summary>
    Fork,
}
