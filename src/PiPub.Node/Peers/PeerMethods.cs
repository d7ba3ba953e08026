using System.Text.Json;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>
/// The muxrpc face of connections: <c>whoami</c> and <c>manifest</c> for all, <c>conn.*</c> and <c>gossip.*</c> for the owner's tools.
/// </summary>
/// <remarks>
/// Shapes of ssb-conn 6.0.4 (with ssb-conn-hub 1.2.0) and ssb-gossip 1.1.1. Where those answer connect with the rpc object of the
/// new connection, which no wire can carry, true is answered. Sources: also secret-stack 8.1.0 core.js.
/// </remarks>
public sealed class PeerMethods(PeerServer server, AddressBook book)
{
    private byte[]? _manifest;

    /// <summary>Offers the methods. The manifest is made at the first question for it, of whatever is offered then.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Sync("whoami", RpcCallers.Peer, (_, _) => new(JsonBody.Object(server.Id, static (json, id) => json.WriteString("id"u8, id.ToString()))));
        methods.Sync("manifest", RpcCallers.Peer, (_, _) => new(RpcBody.Json(_manifest ??= RpcManifest.Write(methods))));

        methods.Async("conn.connect", RpcCallers.Owner, ConnectAsync);
        methods.Async("conn.disconnect", RpcCallers.Owner, DisconnectAsync);
        methods.Source("conn.peers", RpcCallers.Owner, WatchAsync);
        methods.Sync("conn.dbPeers", RpcCallers.Owner, (_, _) => new(JsonBody.Write(book.All, PeerJson.WriteBook)));
        methods.Sync("conn.remember", RpcCallers.Owner, Remember);
        methods.Sync("conn.forget", RpcCallers.Owner, Forget);

        methods.Async("gossip.connect", RpcCallers.Owner, ConnectAsync);
        methods.Async("gossip.disconnect", RpcCallers.Owner, DisconnectAsync);
        methods.Sync("gossip.peers", RpcCallers.Owner, (_, _) => new(JsonBody.Write((server.Peers.Snapshot(), book.All), PeerJson.WriteGossipPeers)));
        methods.Sync("gossip.add", RpcCallers.Owner, Remember);
        methods.Sync("gossip.remove", RpcCallers.Owner, Forget);
    }

    private static MultiserverAddress AddressOf(RpcRequest request) =>
        PubAddress.TryRead(request.Arg(0), out var address)
            ? address
            : throw new RpcException("The given address is not a valid multiserver-address. Give one such as net:example.org:8008~shs:(base64 key).");

    private static RpcBody True(bool value = true) => RpcBody.Json(value ? "true" : "false");

    private async ValueTask<RpcBody> ConnectAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        MultiserverAddress address;
        if (IdOf(request.Arg(0)) is { } id)
        {
            address = book.TryFind(id, out var known) ? known.Address : throw new RpcException($"no known address for peer:{id}");
        }
        else
        {
            address = AddressOf(request);
        }

        try
        {
            _ = await server.ConnectAsync(address, publicOnly: false, cancellationToken);
        }
        catch (PeerConnectException e)
        {
            throw new RpcException(e.Message, e);
        }

        _ = book.Remember(address, AddressSource.Owner);
        book.Save();
        return True();
    }

    private async ValueTask<RpcBody> DisconnectAsync(RpcRequest request, CancellationToken cancellationToken)
    {
        var id = IdOf(request.Arg(0)) ?? AddressOf(request).Key!.Value;
        if (id == server.Id)
        {
            throw new RpcException("That is this box itself.");
        }

        return True(await server.DisconnectAsync(id));
    }

    private ValueTask<RpcBody> Remember(RpcRequest request, CancellationToken cancellationToken)
    {
        if (!book.Remember(AddressOf(request), AddressSource.Owner))
        {
            throw new RpcException("That is the address of this box itself.");
        }

        book.Save();
        return new(True());
    }

    private ValueTask<RpcBody> Forget(RpcRequest request, CancellationToken cancellationToken) => new(True(book.Forget(AddressOf(request))));

    /// <summary>conn.peers: the connections as they are, and again whenever something has changed.</summary>
    private Task WatchAsync(RpcRequest request, RpcStream stream, CancellationToken ended) => LiveList.SendAsync(
        stream,
        () => JsonBody.Write(server.Peers.Snapshot(), PeerJson.WriteHubEntries),
        changed => server.Peers.Changed += changed,
        changed => server.Peers.Changed -= changed,
        ended);

    private static FeedId? IdOf(JsonElement arg) =>
        arg.ValueKind == JsonValueKind.String && FeedId.TryParse(arg.GetString(), out var id) ? id
        : arg.ValueKind == JsonValueKind.Object && !arg.TryGetProperty("host"u8, out _) && !arg.TryGetProperty("address"u8, out _)
            && arg.TryGetProperty("key"u8, out var key) && key.ValueKind == JsonValueKind.String && FeedId.TryParse(key.GetString(), out id) ? id
        : null;
}
