using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Blobs;

/// <summary>Judges authors by the social graph, and by whose box this is.</summary>
/// <param name="graph">Who follows whom.</param>
/// <param name="owner">Whose box this is.</param>
/// <param name="isAskedFor">Whether the owner asked for a feed without following it; such feeds count as one hop away.</param>
public sealed class BlobAuthors(FollowGraph graph, OwnerTable owner, Func<FeedId, bool>? isAskedFor = null) : IBlobAuthors
{
    /// <inheritdoc/>
    public int? HopsOf(FeedId author) =>
        graph.Hops(author) is { } hops ? (hops < 0 ? null : hops) : isAskedFor?.Invoke(author) == true ? 1 : null;

    /// <inheritdoc/>
    public bool IsOwn(FeedId author) => author == graph.Box || author == owner.Owner;
}
