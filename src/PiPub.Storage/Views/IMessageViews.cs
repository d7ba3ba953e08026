using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>A range of numbers (sequences, times in milliseconds); infinite ends are open.</summary>
/// <param name="Low">The lower end.</param>
/// <param name="LowIncluded">Whether it belongs to the range.</param>
/// <param name="High">The upper end.</param>
/// <param name="HighIncluded">Whether it belongs to the range.</param>
public readonly record struct ViewRange(double Low, bool LowIncluded, double High, bool HighIncluded)
{
    /// <summary>Every number.</summary>
    public static ViewRange All { get; } = new(double.NegativeInfinity, true, double.PositiveInfinity, true);

    /// <summary>Tells whether a number lies in the range.</summary>
    public bool Covers(double value) => (LowIncluded ? value >= Low : value > Low) && (HighIncluded ? value <= High : value < High);
}

/// <summary>One link that a message's content makes, with the message that makes it.</summary>
/// <param name="Source">The author.</param>
/// <param name="Rel">The key of the content under which it stands.</param>
/// <param name="Dest">What it leads to, as written: an id, a blob's perhaps with a query.</param>
/// <param name="Position">The message's position in the log.</param>
public readonly record struct MessageLink(FeedId Source, string Rel, string Dest, long Position);

/// <summary>
/// What the owner's queries ask of the views. Answers are lazy and paged, so that who reads slowly holds nothing open;
/// they speak only of messages that end at or before <c>until</c>. Positions are the log's.
/// </summary>
public interface IMessageViews
{
    /// <summary>The position up to which the views have read the log.</summary>
    long IndexedTo { get; }

    /// <summary>Completes when the views have read the log up to <paramref name="position"/>.</summary>
    /// <exception cref="IOException">The views cannot follow, for now.</exception>
    ValueTask WaitUntilAsync(long position, CancellationToken cancellationToken);

    /// <summary>Where a message lies, or -1.</summary>
    long PositionOf(MessageId id);

    /// <summary>Messages by the time they were received, in the order of arrival.</summary>
    IEnumerable<long> ByArrival(ViewRange received, bool reverse, long until);

    /// <summary>
    /// Messages by the time they were written: what the author says, but never later than they were received
    /// (ssb-db 20.4.1, indexes/feed.js); then in the order of arrival.
    /// </summary>
    IEnumerable<(long Position, double Resolved)> ByResolvedTime(ViewRange resolved, bool reverse, long until);

    /// <summary>Messages whose content has this <c>type</c>, in the order of arrival.</summary>
    IEnumerable<long> ByType(string type, ViewRange received, bool reverse, long until);

    /// <summary>
    /// Links, as ssb-server's <c>links</c> finds them. Those of one source or to one dest are ordered by rel and the other end;
    /// where neither is a whole id, all links are looked at, in the order of arrival.
    /// Each of source and dest is null, a whole id, or a sigil for all ids of that kind; rel is null or a whole name.
    /// </summary>
    IEnumerable<MessageLink> Links(string? source, string? rel, string? dest, bool reverse, long until);
}
