using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Web.Invites;

/// <summary>
/// The invite with which the owner's own app comes in: one for as long as the box runs, so that a page that is loaded again shows the
/// same code. A new one is made when it was used, taken back, or when the box is reached in another way than it says.
/// </summary>
public sealed class OwnerInvite(Invitations invitations, InviteAddresses addresses, FeedId box)
{
    private readonly Lock _gate = new();
    private NewInvite? _current;

    /// <summary>The invite.</summary>
    /// <exception cref="InviteException">There is no address that an app could reach; the message says what to do.</exception>
    public NewInvite Get()
    {
        lock (_gate)
        {
            if (_current is { } kept && IsGood(kept))
            {
                return kept;
            }

            return _current = invitations.Create(new InviteRequest(), box);
        }
    }

    private bool IsGood(NewInvite invite)
    {
        var best = addresses.Best();
        return best.Count > 0 && best[0].Host == invite.Codes[0].Host && best[0].Port == invite.Codes[0].Port
            && invitations.Find(invite.Invite.Key) is { Used: 0, Revoked: null };
    }
}
