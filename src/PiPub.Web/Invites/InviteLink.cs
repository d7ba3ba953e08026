using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Invites;
using PiPub.Storage.State;

namespace PiPub.Web.Invites;

/// <summary>How it stands with an invite.</summary>
public enum InviteStanding
{
    /// <summary>It can be used.</summary>
    Good,

    /// <summary>As many people have used it as may.</summary>
    Used,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>The owner took it back.</summary>
    Revoked,

    /// <summary>This box knows no such invite.</summary>
    Unknown,
}

/// <summary>Links that lead to an invite: to its page on this box, and straight into an app.</summary>
public static class InviteLink
{
    /// <summary>The page that explains an invite to whoever got it, below the box's web address.</summary>
    public static string PageOf(InviteCode code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return "/join?invite=" + Uri.EscapeDataString(code.ToLegacyText());
    }

    /// <summary>The same as an SSB URI, which opens an app that knows them. Source: ssb-uri-spec, address/multiserver.</summary>
    public static string UriOf(InviteCode code)
    {
        ArgumentNullException.ThrowIfNull(code);
        return "ssb:address/multiserver/" + Uri.EscapeDataString(code.ToMultiserverText());
    }

    /// <summary>How an invite stands now.</summary>
    public static InviteStanding Standing(Invite invite, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(invite);
        return invite.Revoked is not null ? InviteStanding.Revoked
            : invite.Used >= invite.Total ? InviteStanding.Used
            : invite.Expires <= now ? InviteStanding.Expired
            : InviteStanding.Good;
    }

    /// <summary>How the invite of a code stands, as far as this box knows it.</summary>
    public static InviteStanding Standing(Invitations invitations, InviteCode code, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(invitations);
        ArgumentNullException.ThrowIfNull(code);
        return invitations.Find(code.ToKeyPair().Id) is { } invite ? Standing(invite, now) : InviteStanding.Unknown;
    }
}
