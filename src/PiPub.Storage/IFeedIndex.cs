using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage;

/// <summary>What a view remembers of where messages lie, so that a start need not read the whole log.</summary>
public interface IFeedIndex
{
    /// <summary>The position up to which the index holds every message of the log; 0 when it holds nothing.</summary>
    long IndexedTo { get; }

    /// <summary>Calls <paramref name="visit"/> with feed, sequence and position of every message up to <see cref="IndexedTo"/>, feed by feed, each from sequence 1 on.</summary>
    /// <exception cref="IOException">The index is damaged; what was visited is worth nothing.</exception>
    void VisitPositions(Action<FeedId, int, long> visit);
}
