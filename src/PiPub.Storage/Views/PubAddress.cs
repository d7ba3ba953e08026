using System.Globalization;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>A pub's address as a <c>pub</c> message announces it. Anybody may announce anything: try it, trust nothing.</summary>
/// <param name="Key">The pub's identity.</param>
/// <param name="Host">A host name or IP address, at most 255 characters of those that such names have.</param>
/// <param name="Port">1 to 65535.</param>
/// <param name="Author">Who announced it last.</param>
public sealed record PubAddress(FeedId Key, string Host, int Port, FeedId Author)
{
    private const int MaxHost = 255;

    /// <summary>
    /// Reads the <c>address</c> of a pub message: <c>{"host", "port", "key"}</c>, or a multiserver address of the form
    /// <c>net:host:port~shs:key</c>. Source: ssb-gossip 1.1.1; multiserver-address 1.0.1.
    /// </summary>
    /// <returns>Null for any other form, and for one that carries a secret (an invite's seed) behind the key.</returns>
    public static PubAddress? Read(ReadOnlyMemory<byte> json, FeedId author)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var address = document.RootElement;
            return address.ValueKind switch
            {
                JsonValueKind.String => FromText(address.GetString()!, author),
                JsonValueKind.Object when address.TryGetProperty("host", out var host) && host.ValueKind == JsonValueKind.String
                    && address.TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String
                    && FeedId.TryParse(key.GetString()!, out var pub) =>
                    Checked(pub, host.GetString()!, address.TryGetProperty("port", out var port) ? port : default, author),
                _ => null,
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static PubAddress? Checked(FeedId key, string host, JsonElement port, FeedId author)
    {
        var number = 0;
        var isPort = port.ValueKind switch
        {
            JsonValueKind.Undefined => (number = 8008) > 0,
            JsonValueKind.Number => port.TryGetInt32(out number),
            JsonValueKind.String => int.TryParse(port.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out number),
            _ => false,
        };
        return isPort ? Checked(key, host, number, author) : null;
    }

    private static PubAddress? Checked(FeedId key, string host, int port, FeedId author) =>
        port is > 0 and <= 65535 && host.Length is > 0 and <= MaxHost && !host.AsSpan().ContainsAnyExcept(HostCharacters)
            ? new PubAddress(key, host, port, author)
            : null;

    private static PubAddress? FromText(string text, FeedId author)
    {
        const string shs = "~shs:";
        var end = text.IndexOf(shs, StringComparison.Ordinal);
        if (end < 0 || !text.StartsWith("net:", StringComparison.Ordinal)
            || !FeedId.TryParse($"@{text.AsSpan(end + shs.Length)}.ed25519", out var key))
        {
            return null;
        }

        var colon = text.LastIndexOf(':', end);
        return colon > 4 && int.TryParse(text.AsSpan(colon + 1, end - colon - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? Checked(key, text[4..colon].Replace("!", "", StringComparison.Ordinal), port, author)
            : null;
    }

    private static readonly System.Buffers.SearchValues<char> HostCharacters =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:%");
}
