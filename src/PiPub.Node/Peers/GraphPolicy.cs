using PiPub.Node.Invites;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <summary>
/// Lets in whom the social graph and the invites let in: holders of an invite for that alone, and everybody else whom the
/// box does not block. Source: ssb-friends 5.1.7 (auth.hook); ssb-invite 3.0.1.
/// </summary>
public sealed class GraphPolicy : IPeerPolicy
{
    private readonly FollowGraph _graph;
    private readonly IInviteKeys _invites;

    /// <summary>Follows the graph from now on.</summary>
    public GraphPolicy(FollowGraph graph, IInviteKeys invites)
    {
        ArgumentNullException.ThrowIfNull(graph);
        (_graph, _invites) = (graph, invites);
        graph.EdgesChanged += changes =>
        {
            foreach (var change in changes)
            {
                if (change.Edge.Author == graph.Box && change.Edge.State == ContactState.Blocking)
                {
                    Blocked?.Invoke(change.Edge.Contact);
                }
            }
        };
    }

    /// <inheritdoc/>
    public event Action<FeedId>? Blocked;

    /// <inheritdoc/>
    public ValueTask<PeerAdmission> AdmitAsync(FeedId remote, bool isOutgoing, CancellationToken cancellationToken) => new(
        _graph.IsBlocking(remote) ? PeerAdmission.Refused
        : !isOutgoing && _invites.IsInvite(remote) ? PeerAdmission.Invite
        : PeerAdmission.Peer);

    /// <inheritdoc/>
    public int? HopsOf(FeedId feed) => _graph.Hops(feed) is >= 0 and var hops ? hops : null;
}
