using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Replication;

/// <summary>
/// What the owner's tools may change about replication: replicationScheduler.start and .reconfigure, and the private list
/// by ebt.request.
/// </summary>
/// <remarks>
/// Sources: ssb-replication-scheduler 3.1.1 (start, reconfigure; here it takes <c>{"hops": n}</c>, as only whole classic
/// feeds are replicated); ssb-ebt 9.1.2 (request; here it lasts, as the private list is kept).
/// </remarks>
public sealed class ReplicationMethods(ReplicationScheduler scheduler)
{
    private const int MaxHops = 10;

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Sync("replicationScheduler.start", RpcCallers.Owner, (_, _) =>
        {
            scheduler.Start();
            return new(RpcBody.Json("true"));
        });
        methods.Sync("replicationScheduler.reconfigure", RpcCallers.Owner, (request, _) =>
        {
            scheduler.Reconfigure(new ReplicationOptions { Hops = Hops(request.Arg(0)) });
            return new(RpcBody.Json("true"));
        });
        methods.Sync("ebt.request", RpcCallers.Owner, (request, _) => new(Request(request)));
    }

    private static int Hops(JsonElement options) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty("hops", out var hops)
        && hops.ValueKind == JsonValueKind.Number && hops.TryGetInt32(out var number) && number is >= 0 and <= MaxHops
            ? number
            : throw new RpcException($"reconfigure needs {{\"hops\": n}} with n from 0 (the box only) to {MaxHops}");

    private RpcBody Request(RpcRequest request)
    {
        if (request.Arg(0).ValueKind != JsonValueKind.String || !FeedId.TryParse(request.Arg(0).GetString(), out var feed))
        {
            throw new RpcException("ebt.request needs a feed id, such as @...=.ed25519, and true or false");
        }

        var changed = request.Arg(1).ValueKind == JsonValueKind.False ? scheduler.Forget(feed) : scheduler.Ask(feed);
        return RpcBody.Json(changed ? "true" : "false");
    }
}
