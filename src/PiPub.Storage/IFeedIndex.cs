using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage;

/// <summary>What a view remembers of where messages lie, so that a start need not read the whole log.</summary>
public interface IFeedIndex
{
    /// <summary>The position up to which the index holds every message of the log; 0 when it holds nothing.</summary>
    long IndexedTo { get; }

    /// <summary>Every indexed message, feed by feed, each feed's from sequence 1 on without a gap.</summary>
    IEnumerable<(FeedId Feed, int Sequence, long Position)> FeedPositions();
}
