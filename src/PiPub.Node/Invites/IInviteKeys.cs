using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Invites;

/// <summary>Tells keys of invites from those of people, for whoever decides what a connection may call.</summary>
public interface IInviteKeys
{
    /// <summary>
    /// True for the key of any invite ever made here, also one that is spent, expired or taken back: its holder is let in
    /// to <c>invite.use</c> and <c>getAddress</c> and nothing else, and is told there what is wrong.
    /// </summary>
    bool IsInvite(FeedId key);
}
