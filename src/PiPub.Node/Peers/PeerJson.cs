using System.Text.Json;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>Peers as the tools of the JavaScript stack expect them in JSON.</summary>
/// <remarks>Sources: ssb-conn-hub 1.2.0 (liveEntries); ssb-conn-db 1.0.5 (entries); ssb-gossip 1.1.1 (peers, status).</remarks>
public static class PeerJson
{
    /// <summary>
    /// Writes the connected peers as an object of id to state, as ssb-gossip adds it to <c>status</c> under the name <c>gossip</c>.
    /// </summary>
    public static void WriteGossipStatus(Utf8JsonWriter json, IReadOnlyList<PeerStatus> peers)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(peers);
        json.WriteStartObject();
        foreach (var peer in peers)
        {
            if (peer.State == PeerState.Connected)
            {
                json.WriteStartObject(peer.Id.ToString());
                json.WriteString("address"u8, peer.Address);
                json.WriteString("state"u8, "connected"u8);
                json.WriteNumber("stateChange"u8, peer.Since.ToUnixTimeMilliseconds());
                json.WriteNumber("failure"u8, 0);
                json.WriteBoolean("client"u8, peer.IsOutgoing);
                WriteStats(json, "stats"u8, peer);
                json.WriteEndObject();
            }
        }

        json.WriteEndObject();
    }

    /// <summary>conn.peers: <c>[[address, {key, state, ...}], ...]</c> of the peers connected or being dialled.</summary>
    internal static void WriteHubEntries(Utf8JsonWriter json, IReadOnlyList<PeerStatus> peers)
    {
        json.WriteStartArray();
        foreach (var peer in peers)
        {
            if (peer.State is PeerState.Connected or PeerState.Connecting)
            {
                var since = peer.Since.ToUnixTimeMilliseconds();
                json.WriteStartArray();
                json.WriteStringValue(peer.Address);
                json.WriteStartObject();
                json.WriteString("key"u8, peer.Id.ToString());
                json.WriteString("state"u8, WordFor(peer.State));
                if (MultiserverAddress.TryParse(peer.Address, out var address) && address.Transport == MultiserverTransport.Net)
                {
                    json.WriteString("inferredType"u8, address.Scope == AddressScope.Public ? "internet"u8 : "lan"u8);
                }

                json.WriteNumber("hubBirth"u8, since);
                json.WriteNumber("hubUpdated"u8, since);
                json.WriteEndObject();
                json.WriteEndArray();
            }
        }

        json.WriteEndArray();
    }

    /// <summary>conn.dbPeers: <c>[[address, {key, type, source, ...}], ...]</c> of the known addresses.</summary>
    internal static void WriteBook(Utf8JsonWriter json, IReadOnlyList<BookedAddress> addresses)
    {
        json.WriteStartArray();
        foreach (var address in addresses)
        {
            json.WriteStartArray();
            json.WriteStringValue(address.Address.ToString());
            json.WriteStartObject();
            json.WriteString("key"u8, address.Feed.ToString());
            json.WriteString("source"u8, WordFor(address.Source));
            json.WriteNumber("failure"u8, address.Failures);
            if (address.Source == AddressSource.PubMessage)
            {
                json.WriteString("type"u8, "pub"u8);
            }

            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndArray();
    }

    /// <summary>gossip.peers: an object for each peer that is known by an address or was connected. State is only there while connected or connecting.</summary>
    internal static void WriteGossipPeers(Utf8JsonWriter json, (IReadOnlyList<PeerStatus> Peers, IReadOnlyList<BookedAddress> Addresses) known)
    {
        var written = new HashSet<FeedId>();
        var byFeed = new Dictionary<FeedId, BookedAddress>();
        foreach (var address in known.Addresses)
        {
            _ = byFeed.TryAdd(address.Feed, address);
        }

        json.WriteStartArray();
        foreach (var peer in known.Peers)
        {
            _ = written.Add(peer.Id);
            json.WriteStartObject();
            WriteAddress(json, peer.Address, peer.Id);
            json.WriteString("source"u8, byFeed.TryGetValue(peer.Id, out var address) ? WordFor(address.Source) : "incoming");
            if (peer.State is PeerState.Connected or PeerState.Connecting)
            {
                json.WriteString("state"u8, WordFor(peer.State));
            }

            json.WriteNumber("stateChange"u8, peer.Since.ToUnixTimeMilliseconds());
            json.WriteNumber("failure"u8, address?.Failures ?? 0);
            json.WriteBoolean("client"u8, peer.IsOutgoing);
            if (peer.LastError is { } error)
            {
                json.WriteString("error"u8, error);
            }

            WriteStats(json, "ping"u8, peer);
            json.WriteEndObject();
        }

        foreach (var address in known.Addresses)
        {
            if (written.Add(address.Feed))
            {
                json.WriteStartObject();
                WriteAddress(json, address.Address.ToString(), address.Feed);
                json.WriteString("source"u8, WordFor(address.Source));
                json.WriteNumber("failure"u8, address.Failures);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    private static void WriteAddress(Utf8JsonWriter json, string text, FeedId id)
    {
        json.WriteString("address"u8, text);
        json.WriteString("key"u8, id.ToString());
        if (MultiserverAddress.TryParse(text, out var address) && address.Host.Length > 0)
        {
            json.WriteString("host"u8, address.Host);
            json.WriteNumber("port"u8, address.Port);
        }
    }

    /// <summary>As the package statistics has them, of the last ping only.</summary>
    private static void WriteStats(Utf8JsonWriter json, ReadOnlySpan<byte> name, PeerStatus peer)
    {
        json.WriteStartObject(name);
        if (peer is { RoundTrip: { } roundTrip, ClockSkew: { } skew })
        {
            WriteMean("rtt"u8, roundTrip);
            WriteMean("skew"u8, skew);
        }

        json.WriteEndObject();

        void WriteMean(ReadOnlySpan<byte> of, TimeSpan value)
        {
            json.WriteStartObject(of);
            json.WriteNumber("mean"u8, Math.Round(value.TotalMilliseconds, 3));
            json.WriteNumber("count"u8, 1);
            json.WriteEndObject();
        }
    }

    private static string WordFor(PeerState state) => state == PeerState.Connected ? "connected" : "connecting";

    private static string WordFor(AddressSource source) => source switch
    {
        AddressSource.PubMessage => "pub",
        AddressSource.LocalNetwork => "local",
        AddressSource.Invite => "invite",
        _ => "manual",
    };
}
