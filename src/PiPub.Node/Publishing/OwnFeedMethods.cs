using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Publishing;

/// <summary>
/// What the owner's tools ask about the box's own feed: <c>ownFeed.state</c> (true when the box may publish, otherwise the
/// reason in words) and <c>ownFeed.override</c>. Both are PiPub's own.
/// </summary>
public sealed class OwnFeedMethods(OwnFeedGuard guard)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("ownFeed.state", RpcCallers.Owner, (_, _) => new(State()));
        methods.Async("ownFeed.override", RpcCallers.Owner, (_, _) =>
        {
            guard.Override();
            return new(State());
        });
    }

    private RpcBody State() => guard.MayPublish(out var why)
        ? RpcBody.Json("true")
        : RpcBody.Json($"\"{JsonEncodedText.Encode(why)}\"");
}
