using System.Text.Json;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Peers;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Discovery;

/// <summary>
/// The muxrpc face of discovery, for the owner: <c>discovery.peers</c> lists who is on the local network, <c>discovery.status</c>
/// tells where the box looks and what became of packets (<c>discovery.counters</c> the latter alone), and <c>conn.stagedPeers</c> is
/// the live list of strangers that clients of ssb-conn show.
/// </summary>
public sealed class DiscoveryMethods(
    LanPeers peers, LanCounters? counters, PeerTable connections, NetworkWatch watch, Neighbourhood neighbourhood)
{
    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Sync("discovery.peers", RpcCallers.Owner, (_, _) =>
            new(JsonBody.Write(peers.Snapshot(), (json, all) => LanPeerJson.WritePeers(json, all, connections, neighbourhood))));
        methods.Sync("discovery.counters", RpcCallers.Owner, (_, _) => new(JsonBody.Object(counters, static (json, counters) => counters?.Write(json))));
        methods.Sync("discovery.status", RpcCallers.Owner, (_, _) => new(JsonBody.Object(this, static (json, methods) => methods.WriteStatus(json))));
        methods.Source("conn.stagedPeers", RpcCallers.Owner, WatchAsync);
    }

    private void WriteStatus(Utf8JsonWriter json)
    {
        json.WriteBoolean("on"u8, counters is not null);
        json.WriteStartArray("interfaces"u8);
        foreach (var network in watch.Current)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, network.Name);
            json.WriteStartArray("addresses"u8);
            foreach (var own in network.Addresses)
            {
                json.WriteStringValue($"{own.Address}/{own.PrefixLength}");
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (counters is not null)
        {
            json.WriteBoolean("otherNetworkHeard"u8, counters.IsOtherNetworkHeard);
            json.WriteStartObject("counters"u8);
            counters.Write(json);
            json.WriteEndObject();
        }
    }

    /// <summary>conn.stagedPeers: the strangers as they are, and again whenever something has changed.</summary>
    private Task WatchAsync(RpcRequest request, RpcStream stream, CancellationToken ended) => LiveList.SendAsync(
        stream,
        () => JsonBody.Write(peers.Snapshot(), (json, all) => LanPeerJson.WriteStaged(json, all, connections)),
        changed =>
        {
            peers.Changed += changed;
            connections.Changed += changed;
        },
        changed =>
        {
            peers.Changed -= changed;
            connections.Changed -= changed;
        },
        ended);
}
