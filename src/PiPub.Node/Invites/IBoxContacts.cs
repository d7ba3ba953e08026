using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Invites;

/// <summary>What the box's own feed says of other feeds, as far as invites need it.</summary>
public interface IBoxContacts
{
    /// <summary>Whether the box follows a feed.</summary>
    bool IsFollowing(FeedId feed);

    /// <summary>Whether the box blocks a feed.</summary>
    bool IsBlocking(FeedId feed);
}
