using System.Net;
using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.Access;

namespace PiPub.Web.Invites;

/// <summary>
/// A press of the button of a box that has been claimed: whoever stands beside it gets an invite for their app, without the owner's
/// password. One press, one invite, for one app.
/// </summary>
/// <param name="invitations">Makes it.</param>
/// <param name="box">Who makes it.</param>
/// <param name="isAtHome">Whether an address is in one of the box's own subnets. The button opens the box to these alone.</param>
/// <param name="time">The clock.</param>
public sealed class Pairing(Invitations invitations, FeedId box, Func<IPAddress, bool> isAtHome, TimeProvider time)
{
    /// <summary>For how long the invite is good: an app has to be installed first.</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly HomeDoor _door = new(isAtHome, time);
    private NewInvite? _current;

    /// <summary>The button was pressed: for two minutes, whoever is at home gets the invite.</summary>
    public void Press()
    {
        lock (_gate)
        {
            _current = null;
            _door.Press();
        }
    }

    /// <summary>Whether somebody who comes from <paramref name="address"/> gets the invite now.</summary>
    public bool IsOpenFor(IPAddress address) => _door.IsOpenFor(address);

    /// <summary>The invite of this press: the same one, however often it is asked for; null when it has been used or taken back, and for whom <see cref="IsOpenFor"/> is false.</summary>
    /// <exception cref="InviteException">There is no address that an app could reach; the message says what to do.</exception>
    public NewInvite? Get(IPAddress address)
    {
        lock (_gate)
        {
            if (!_door.IsOpenFor(address))
            {
                return null;
            }

            _current ??= invitations.Create(new InviteRequest(Note: "By the button of the box", Expires: time.GetUtcNow() + GoodFor), box);
            return invitations.Find(_current.Invite.Key) is { Used: 0, Revoked: null } ? _current : null;
        }
    }
}
