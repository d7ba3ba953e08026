using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Peers;

/// <summary>Addresses as JSON has them: in a pub message's <c>address</c>, and as the argument of gossip.connect.</summary>
public static class PubAddress
{
    /// <summary>Reads <c>{host, port, key}</c>, or a string in any form that <see cref="MultiserverAddress.TryParseAny"/> knows. Source: ssb-ref 2.16.0.</summary>
    public static bool TryRead(JsonElement json, [NotNullWhen(true)] out MultiserverAddress? address)
    {
        address = null;
        if (json.ValueKind == JsonValueKind.String)
        {
            return MultiserverAddress.TryParseAny(json.GetString(), out address);
        }

        if (json.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        if (json.TryGetProperty("address"u8, out var nested) && nested.ValueKind == JsonValueKind.String)
        {
            return MultiserverAddress.TryParseAny(nested.GetString(), out address);
        }

        if (!json.TryGetProperty("host"u8, out var host) || host.ValueKind != JsonValueKind.String
            || !json.TryGetProperty("key"u8, out var key) || key.ValueKind != JsonValueKind.String
            || !FeedId.TryParse(key.GetString(), out var feed))
        {
            return false;
        }

        var port = !json.TryGetProperty("port"u8, out var given) ? MultiserverAddress.DefaultPort
            : given.ValueKind == JsonValueKind.Number && given.TryGetInt32(out var number) ? number
            : 0;
        return MultiserverAddress.TryParseAny($"{host.GetString()}:{port}:{feed}", out address);
    }
}
