using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Blobs;

/// <summary>How near the authors of blobs are to the box, as far as keeping and fetching depends on it.</summary>
public interface IBlobAuthors
{
    /// <summary>Distance along follows: 0 the box, 1 its members, and so on; null for feeds that are not wanted here, blocked ones among them.</summary>
    int? HopsOf(FeedId author);

    /// <summary>Whether this is the box's own feed or its owner's: what they mention is never evicted.</summary>
    bool IsOwn(FeedId author);
}
