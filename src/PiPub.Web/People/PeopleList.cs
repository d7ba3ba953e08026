using PiPub.Node.Intake;
using PiPub.Node.Invites;
using PiPub.Node.Profiles;
using PiPub.Node.Replication;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Web.People;

/// <summary>Which people the owner looks at.</summary>
public enum PeopleGroup
{
    /// <summary>Whom the box follows.</summary>
    Members,

    /// <summary>Whose messages are kept because members follow them, directly or farther along.</summary>
    Friends,

    /// <summary>Whose messages are kept privately, without the box following them.</summary>
    Private,

    /// <summary>Whom the box blocks.</summary>
    Blocked,
}

/// <summary>Somebody whose feed the box knows.</summary>
/// <param name="Feed">Their feed.</param>
/// <param name="Profile">What they are called and look like.</param>
/// <param name="Status">How their feed stands here.</param>
/// <param name="IsOwner">Whether the box is theirs.</param>
/// <param name="Invite">The note of the invite by which they came; null when they came otherwise.</param>
public sealed record Person(FeedId Feed, Profile Profile, FeedStatus Status, bool IsOwner, string? Invite);

/// <summary>The people that the box knows, in groups, to look through and to search.</summary>
public sealed class PeopleList(
    FollowGraph graph, ReplicationScheduler replication, Profiles profiles, FeedStatuses feeds, OwnerTable owner, Invitations invitations)
{
    /// <summary>How many are in a group.</summary>
    public int Count(PeopleGroup group) => Feeds(group).Count;

    /// <summary>People of a group whose name or id holds <paramref name="search"/>, the owner first, then those with a name, by name.</summary>
    /// <param name="group">Which group.</param>
    /// <param name="search">Part of a name or an id; empty for all.</param>
    /// <param name="most">How many at most; one more than was asked for tells that there are more.</param>
    public IReadOnlyList<Person> Find(PeopleGroup group, string search, int most)
    {
        ArgumentNullException.ThrowIfNull(search);
        search = search.Trim();
        var found = new List<(FeedId Feed, Profile Profile)>();
        foreach (var feed in Feeds(group))
        {
            var profile = profiles.Of(feed);
            if (search.Length == 0 || profile.Name.Contains(search, StringComparison.CurrentCultureIgnoreCase) || feed.ToString().Contains(search, StringComparison.Ordinal))
            {
                found.Add((feed, profile));
            }
        }

        var theOwner = owner.Owner;
        var notes = Notes();
        return [.. found
            .OrderByDescending(one => one.Feed == theOwner)
            .ThenByDescending(static one => one.Profile.IsNamed)
            .ThenBy(static one => one.Profile.Name, StringComparer.CurrentCultureIgnoreCase)
            .Take(most)
            .Select(one => new Person(one.Feed, one.Profile, feeds.Of(one.Feed), one.Feed == theOwner, notes.GetValueOrDefault(one.Feed)))];
    }

    private IReadOnlyCollection<FeedId> Feeds(PeopleGroup group) => group switch
    {
        PeopleGroup.Members => graph.Members,
        PeopleGroup.Private => replication.Listed(),
        PeopleGroup.Blocked => [.. graph.Edges().Where(edge => edge.Author == graph.Box && edge.State == ContactState.Blocking).Select(static edge => edge.Contact)],
        _ => [.. graph.AllHops().Where(static pair => pair.Value > 1).Select(static pair => pair.Key)],
    };

    private Dictionary<FeedId, string> Notes()
    {
        var notes = new Dictionary<FeedId, string>();
        foreach (var (invite, uses) in invitations.List())
        {
            if (invite.Note is { } note)
            {
                foreach (var use in uses)
                {
                    notes[use.Feed] = note;
                }
            }
        }

        return notes;
    }
}
