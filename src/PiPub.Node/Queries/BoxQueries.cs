using System.Text;
using System.Text.Json;
using PiPub.Node.Intake;
using PiPub.Node.Publishing;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.Verification;

namespace PiPub.Node.Queries;

/// <summary>
/// What the owner's tools ask of the box itself: how it is doing, how each feed stands; and publishing on its feed.
/// </summary>
/// <remarks>Source: ssb-db 20.4.1, index.js; secret-stack 8.1.0. <c>feeds.list</c>, <c>publishing.override</c> and
/// <c>verify</c> are PiPub's own.</remarks>
/// <param name="publisher">Writes the box's own feed.</param>
/// <param name="feeds">How each feed stands.</param>
/// <param name="graph">How far each is away.</param>
/// <param name="ownFeed">Says whether publishing is safe.</param>
/// <param name="verify">Checks all that is kept.</param>
/// <param name="status">Writes the members of the answer to <c>status</c>.</param>
/// <param name="version">The version of the program.</param>
public sealed class BoxQueries(
    IPublisher publisher,
    OwnFeedGuard ownFeed,
    FeedStatuses feeds,
    FollowGraph graph,
    Func<CancellationToken, Task<StoreReport>> verify,
    Action<Utf8JsonWriter> status,
    string version)
{
    private int _verifying;

    private const string Help = """
        {"description":"A Secure Scuttlebutt pub. The README of PiPub lists its commands; `manifest` lists every method.","commands":{}}
        """;

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("publish", RpcCallers.Owner, PublishAsync);
        methods.Sync("status", RpcCallers.Owner, (_, _) => new(JsonBody.Object(status, static (json, write) => write(json))));
        methods.Sync("version", RpcCallers.Owner, (_, _) => new(JsonBody.Write(version, static (json, text) => json.WriteStringValue(text))));
        methods.Sync("help", RpcCallers.Owner, static (_, _) => new(RpcBody.Json(Help)));
        methods.Async("feeds.list", RpcCallers.Owner, (_, _) => new(Feeds()));
        methods.Async("publishing.override", RpcCallers.Owner, (_, _) => new(Override()));
        methods.Async("verify", RpcCallers.Owner, VerifyAsync);
    }

    private async ValueTask<RpcBody> PublishAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        var content = request.Arg(0);
        var isContent = content.ValueKind == JsonValueKind.String
            || (content.ValueKind == JsonValueKind.Object && content.TryGetProperty("type"u8, out var type) && type.ValueKind == JsonValueKind.String);
        if (!isContent)
        {
            throw new RpcException(content.ValueKind == JsonValueKind.Object
                ? "Param 0 must have a .type of type \"string\""
                : "Param 0 must be of type string|msgContent");
        }

        try
        {
            return MessageJson.Format(await publisher.PublishAsync(Encoding.UTF8.GetBytes(content.GetRawText()), cancellationToken));
        }
        catch (Exception e) when (e is PublishRefusedException or IOException)
        {
            throw new RpcException(e.Message, e);
        }
    }

    private RpcBody Override()
    {
        ownFeed.Override();
        return RpcBody.Json("true");
    }

    private async ValueTask<RpcBody> VerifyAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _verifying, 1) != 0)
        {
            throw new RpcException("A verification is under way already. Wait for it to end.");
        }

        try
        {
            return JsonBody.Write(await verify(cancellationToken), StoreReportJson.Write);
        }
        finally
        {
            Volatile.Write(ref _verifying, 0);
        }
    }

    private RpcBody Feeds() => JsonBody.Write((feeds, graph), static (json, known) =>
    {
        json.WriteStartArray();
        foreach (var feed in known.feeds.All())
        {
            json.WriteStartObject();
            json.WriteString("id"u8, feed.Feed.ToString());
            json.WriteNumber("sequence"u8, feed.Sequence);
            json.WriteNumber("seen"u8, feed.Seen);
            if (known.graph.Hops(feed.Feed) is { } hops)
            {
                json.WriteNumber("hops"u8, hops);
            }

            json.WriteString("state"u8, Name(feed.State));
            json.WriteString("status"u8, feed.Words.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    private static string Name(FeedState state) => state switch
    {
        FeedState.UpToDate => "up-to-date",
        FeedState.Behind => "behind",
        FeedState.Invalid => "invalid",
        FeedState.Forked => "forked",
        _ => "blocked",
    };
}
