using System.Text.Json;
using PiPub.Node.Peers;

namespace PiPub.Node.Discovery;

/// <summary>Neighbours in JSON, for the box's own tools and for those of the JavaScript stack.</summary>
/// <remarks>Source of the shape of staged peers: ssb-conn 6.0.4 conn-scheduler.js (setupLanDiscovery); ssb-conn-staging 1.0.0.</remarks>
internal static class LanPeerJson
{
    /// <summary>Everybody, as <c>pipub discover --json</c> prints them.</summary>
    public static void WritePeers(Utf8JsonWriter json, IReadOnlyList<LanPeer> peers, PeerTable connections, Neighbourhood neighbourhood)
    {
        json.WriteStartArray();
        foreach (var peer in peers)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, peer.Feed.ToString());
            json.WriteString("address"u8, peer.Addresses[0].ToString());
            json.WriteStartArray("addresses"u8);
            foreach (var address in peer.Addresses)
            {
                json.WriteStringValue(address.ToString());
            }

            json.WriteEndArray();
            json.WriteStartArray("via"u8);
            foreach (var means in peer.Means)
            {
                json.WriteStringValue(WordFor(means));
            }

            json.WriteEndArray();
            json.WriteBoolean("verified"u8, peer.IsVerified);
            json.WriteString("relation"u8, WordFor(peer.Relation));
            json.WriteBoolean("connected"u8, connections.FindConnected(peer.Feed) is not null);
            json.WriteString("name"u8, peer.Name);
            json.WriteString("interface"u8, neighbourhood.NameOf(peer.Interface));
            json.WriteNumber("lastSeen"u8, peer.LastSeen.ToUnixTimeMilliseconds());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>conn.stagedPeers: <c>[[address, {key, type: "lan", verified, ...}], ...]</c> of the strangers that nobody is connected with.</summary>
    public static void WriteStaged(Utf8JsonWriter json, IReadOnlyList<LanPeer> peers, PeerTable connections)
    {
        json.WriteStartArray();
        foreach (var peer in peers)
        {
            if (peer.Relation != LanRelation.Stranger || connections.FindConnected(peer.Feed) is not null)
            {
                continue;
            }

            foreach (var address in peer.Addresses)
            {
                json.WriteStartArray();
                json.WriteStringValue(address.ToString());
                json.WriteStartObject();
                json.WriteNumber("stagingBirth"u8, peer.FirstSeen.ToUnixTimeMilliseconds());
                json.WriteNumber("stagingUpdated"u8, peer.LastSeen.ToUnixTimeMilliseconds());
                json.WriteString("type"u8, "lan"u8);
                json.WriteString("key"u8, peer.Feed.ToString());
                json.WriteBoolean("verified"u8, peer.IsVerified);
                if (peer.Name is { } name)
                {
                    json.WriteString("note"u8, name);
                }

                json.WriteEndObject();
                json.WriteEndArray();
            }
        }

        json.WriteEndArray();
    }

    private static string WordFor(LanMeans means) => means switch
    {
        LanMeans.Plain => "plain",
        LanMeans.Encrypted => "encrypted",
        _ => "mdns",
    };

    private static string WordFor(LanRelation relation) => relation switch
    {
        LanRelation.Member => "member",
        LanRelation.Friend => "friend",
        LanRelation.Blocked => "blocked",
        _ => "stranger",
    };
}
