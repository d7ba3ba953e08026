using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Views;

namespace PiPub.Node.SocialGraph;

/// <summary>What one feed has last said about another. Source: ssb-friends 5.1.7, db2-contacts.js (edge values).</summary>
public enum ContactState : sbyte
{
    /// <summary>Nothing was ever said.</summary>
    None = 0,

    /// <summary>Follows.</summary>
    Following = 1,

    /// <summary>Blocks (or, in old messages, flags).</summary>
    Blocking = -1,

    /// <summary>Neither follows nor blocks any more.</summary>
    Neutral = -2,
}

/// <summary>An edge of the social graph.</summary>
/// <param name="Author">Who said it.</param>
/// <param name="Contact">About whom.</param>
/// <param name="State">What.</param>
public readonly record struct ContactEdge(FeedId Author, FeedId Contact, ContactState State);

/// <summary>An edge that has become another.</summary>
/// <param name="Edge">The edge as it is now.</param>
/// <param name="Former">What it was before.</param>
public readonly record struct ContactChange(ContactEdge Edge, ContactState Former);

/// <summary>A feed that has come nearer, gone farther, or entered or left the reach of the graph.</summary>
/// <param name="Feed">The feed.</param>
/// <param name="Hops">Its distance now, or null when it is out of reach.</param>
/// <param name="Former">Its distance before.</param>
public readonly record struct HopsChange(FeedId Feed, int? Hops, int? Former);

/// <summary>A store of contact edges from which the graph starts without reading the whole log: a view.</summary>
public interface IContactSource
{
    /// <summary>The log position up to which the edges are complete.</summary>
    long Position { get; }

    /// <summary>Every author's last word on every contact, in the order of the log.</summary>
    IEnumerable<ContactEdge> Contacts();
}

/// <summary>The contact edges of the views.</summary>
public sealed class ViewContacts(MessageViews views) : IContactSource
{
    /// <inheritdoc/>
    public long Position => views.IndexedTo;

    /// <inheritdoc/>
    public IEnumerable<ContactEdge> Contacts()
    {
        foreach (var edge in views.Contacts())
        {
            yield return new ContactEdge(edge.Author, edge.Contact, edge.State switch
            {
                Storage.Views.ContactState.Follow => ContactState.Following,
                Storage.Views.ContactState.Block => ContactState.Blocking,
                _ => ContactState.Neutral,
            });
        }
    }
}
