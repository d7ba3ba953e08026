using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Addresses;

/// <summary>How an address is reached.</summary>
public enum MultiserverTransport
{
    /// <summary>A way that is not known here; the address is kept as it is.</summary>
    Other,

    /// <summary>TCP.</summary>
    Net,

    /// <summary>WebSocket.</summary>
    Ws,

    /// <summary>WebSocket inside TLS.</summary>
    Wss,

    /// <summary>TCP through Tor.</summary>
    Onion,

    /// <summary>A socket of this machine.</summary>
    Unix,

    /// <summary>Through a room.</summary>
    Tunnel,
}

/// <summary>
/// Where a peer can be reached and whom one will meet there, such as <c>net:192.168.1.10:8008~shs:(44 characters of base64)</c>.
/// </summary>
/// <remarks>
/// <para>Sources: multiserver-address 1.0.1; multiserver 3.8.2 (plugins net, ws, onion, unix-socket, shs); ssb-ref 2.16.0.</para>
/// <para>The key is 32 bytes in base64 without sigil and suffix; the seed of an invite may stand behind it. An IPv6 host is
/// written with bare colons, as the JavaScript stack reads it; brackets and escaped colons are read too. Layers and data
/// that are not known here are kept.</para>
/// </remarks>
public sealed class MultiserverAddress : IEquatable<MultiserverAddress>
{
    /// <summary>The port that is meant when a legacy address names none.</summary>
    public const int DefaultPort = 8008;

    private readonly string _text;

    private MultiserverAddress(IReadOnlyList<MultiserverProtocol> protocols)
    {
        Protocols = protocols;
        _text = MultiserverText.Format(protocols);
        Transport = TransportOf(protocols[0].Name);
        (Host, Port, Path) = Transport switch
        {
            MultiserverTransport.Net or MultiserverTransport.Onion => ReadHostAndPort(protocols[0].Data),
            MultiserverTransport.Ws => ReadAuthority(protocols[0].Data, 80),
            MultiserverTransport.Wss => ReadAuthority(protocols[0].Data, 443),
            MultiserverTransport.Unix => ("", 0, string.Join(':', protocols[0].Data)),
            _ => ("", 0, ""),
        };
        for (var i = 1; i < protocols.Count; i++)
        {
            if (protocols[i].Name.StartsWith("shs", StringComparison.Ordinal))
            {
                var data = protocols[i].Data;
                Key = data.Count > 0 && TryDecode(data[0], out var key) ? new FeedId(key) : null;
                Seed = data.Count > 1 && TryDecode(data[1], out var seed) ? seed : null;
                break;
            }
        }
    }

    /// <summary>The layers, transport first.</summary>
    public IReadOnlyList<MultiserverProtocol> Protocols { get; }

    /// <summary>How it is reached.</summary>
    public MultiserverTransport Transport { get; }

    /// <summary>A name or an IP address (IPv6 without brackets); empty when there is none or it is neither.</summary>
    public string Host { get; }

    /// <summary>1 to 65535, or 0 when there is none.</summary>
    public int Port { get; }

    /// <summary>The file of a unix socket, or the path of a WebSocket (beginning with a slash, or empty).</summary>
    public string Path { get; }

    /// <summary>Whom one will meet, if the address says so.</summary>
    public FeedId? Key { get; }

    /// <summary>The seed of an invite, which lets whoever knows it in.</summary>
    public Bytes32? Seed { get; }

    /// <summary>True when the address holds everything that a connection needs, and no layer that is not known here.</summary>
    public bool IsDialable =>
        Transport is MultiserverTransport.Net or MultiserverTransport.Onion or MultiserverTransport.Ws or MultiserverTransport.Wss
        && Host.Length > 0 && Port > 0 && Key is not null && Protocols is [_, { Name: "shs" }];

    /// <summary>Where the address means anything.</summary>
    public AddressScope Scope => Transport == MultiserverTransport.Unix ? AddressScope.Device : PeerHost.ScopeOf(Host);

    /// <summary>The address as a WebSocket URL. Only for ws and wss.</summary>
    public Uri ToWebSocketUri()
    {
        var scheme = Transport == MultiserverTransport.Wss ? "wss" : "ws";
        return new Uri($"{scheme}://{(Host.Contains(':') ? $"[{Host}]" : Host)}:{Port}{Path}");
    }

    /// <summary>Makes an address. The zone of a link-local IPv6 host is left out: it means nothing to anybody else.</summary>
    /// <param name="transport">Net, onion, ws or wss.</param>
    /// <param name="host">A name or an IP address, IPv6 without brackets.</param>
    /// <param name="port">1 to 65535.</param>
    /// <param name="key">Whom one will meet.</param>
    /// <param name="seed">The seed of an invite.</param>
    public static MultiserverAddress Of(MultiserverTransport transport, string host, int port, FeedId key, Bytes32? seed = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentOutOfRangeException.ThrowIfNotEqual(port is >= 1 and <= 65535, true, nameof(port));
        var zone = host.IndexOf('%');
        host = zone < 0 ? host : host[..zone];
        var isUrl = transport is MultiserverTransport.Ws or MultiserverTransport.Wss;
        var where = isUrl ? "//" + (host.Contains(':') ? $"[{host}]" : host) : host;
        List<string> who = [Convert.ToBase64String(key.AsSpan())];
        if (seed is { } bytes)
        {
            who.Add(Convert.ToBase64String(bytes.AsSpan()));
        }

        var name = transport switch
        {
            MultiserverTransport.Net => "net",
            MultiserverTransport.Onion => "onion",
            MultiserverTransport.Ws => "ws",
            MultiserverTransport.Wss => "wss",
            _ => throw new ArgumentOutOfRangeException(nameof(transport), "Only net, onion, ws and wss have a host and a port."),
        };
        return new MultiserverAddress(
        [
            new(name, [.. where.Split(':'), port.ToString(CultureInfo.InvariantCulture)]),
            new("shs", who),
        ]);
    }

    /// <summary>Reads one address by the grammar of multiserver.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out MultiserverAddress? address)
    {
        address = MultiserverText.TryRead(text, out var alternatives) && alternatives.Count == 1 ? new MultiserverAddress(alternatives[0]) : null;
        return address is not null;
    }

    /// <summary>Reads alternatives separated by <c>;</c>, as they come in LAN packets and in answers to getAddress. Keeps every one.</summary>
    public static bool TryParseList(ReadOnlySpan<char> text, out IReadOnlyList<MultiserverAddress> addresses)
    {
        var ok = MultiserverText.TryRead(text, out var alternatives);
        addresses = ok ? alternatives!.ConvertAll(a => new MultiserverAddress(a)) : [];
        return ok;
    }

    /// <summary>
    /// Reads an address in whichever form a person or a message has it: multiserver (the first dialable of a list), legacy
    /// <c>host:port:@key.ed25519</c>, or SSB URI. False when it cannot be dialled.
    /// </summary>
    public static bool TryParseAny(string? text, [NotNullWhen(true)] out MultiserverAddress? address)
    {
        address = null;
        text = text?.Trim();
        if (string.IsNullOrEmpty(text) || text.Length > MultiserverText.MaxLength)
        {
            return false;
        }

        if (SsbUri.TryReadAddresses(text, out var addresses) || TryParseList(text, out addresses))
        {
            foreach (var candidate in addresses)
            {
                if (candidate.IsDialable)
                {
                    address = candidate;
                    return true;
                }
            }
        }

        return TryParseLegacy(text, out address);
    }

    /// <summary>
    /// Reads <c>host:port:@key.ed25519</c>, split from the right as IPv6 hosts have colons of their own; no port means 8008,
    /// and a host may begin with ws:// or wss://.
    /// </summary>
    public static bool TryParseLegacy(string text, [NotNullWhen(true)] out MultiserverAddress? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = null;
        var keyAt = text.LastIndexOf(':');
        var portAt = keyAt > 0 ? text.LastIndexOf(':', keyAt - 1) : -1;
        if (portAt <= 0 || !FeedId.TryParse(text.AsSpan(keyAt + 1), out var key))
        {
            return false;
        }

        var host = text[..portAt];
        var transport = MultiserverTransport.Net;
        if (host.StartsWith("ws://", StringComparison.Ordinal))
        {
            (transport, host) = (MultiserverTransport.Ws, host[5..]);
        }
        else if (host.StartsWith("wss://", StringComparison.Ordinal))
        {
            (transport, host) = (MultiserverTransport.Wss, host[6..]);
        }
        else if (host.EndsWith(".onion", StringComparison.OrdinalIgnoreCase))
        {
            transport = MultiserverTransport.Onion;
        }

        var port = keyAt == portAt + 1 ? DefaultPort : ReadPort(text[(portAt + 1)..keyAt]);
        host = PeerHost.Clean(host);
        if (port == 0 || host.Length == 0)
        {
            return false;
        }

        address = Of(transport, host, port, key);
        return true;
    }

    /// <summary>The same address without the seed of an invite, which may be shown to anybody.</summary>
    public MultiserverAddress WithoutSeed()
    {
        if (Seed is null)
        {
            return this;
        }

        var protocols = new List<MultiserverProtocol>(Protocols.Count);
        foreach (var layer in Protocols)
        {
            protocols.Add(layer.Name.StartsWith("shs", StringComparison.Ordinal) && layer.Data.Count > 1 ? layer with { Data = [layer.Data[0]] } : layer);
        }

        return new MultiserverAddress(protocols);
    }

    /// <summary>The whole text, the seed of an invite included: a secret, if there is one.</summary>
    public string Format() => _text;

    /// <summary>The text without the seed of an invite, so that it does not leak into a log.</summary>
    public override string ToString() => WithoutSeed()._text;

    /// <inheritdoc/>
    public bool Equals(MultiserverAddress? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MultiserverAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);

    private static MultiserverTransport TransportOf(string name) => name switch
    {
        "net" => MultiserverTransport.Net,
        "ws" => MultiserverTransport.Ws,
        "wss" => MultiserverTransport.Wss,
        "onion" => MultiserverTransport.Onion,
        "unix" => MultiserverTransport.Unix,
        "tunnel" => MultiserverTransport.Tunnel,
        _ => MultiserverTransport.Other,
    };

    /// <summary>The last datum is the port, what is before it the host, whose colons the grammar took for separators.</summary>
    private static (string Host, int Port, string Path) ReadHostAndPort(IReadOnlyList<string> data) =>
        data.Count < 2 ? ("", 0, "") : (PeerHost.Clean(Join(data, data.Count - 1)), ReadPort(data[^1]), "");

    /// <summary>Reads <c>//host[:port][/path]</c>; the slashes in front may be missing.</summary>
    private static (string Host, int Port, string Path) ReadAuthority(IReadOnlyList<string> data, int defaultPort)
    {
        var url = Join(data, data.Count);
        url = url.StartsWith("//", StringComparison.Ordinal) ? url[2..] : url;
        var slash = url.IndexOf('/');
        var (authority, path) = slash < 0 ? (url, "") : (url[..slash], url[slash..]);
        var colon = authority.LastIndexOf(':');
        return colon < 0 || authority.EndsWith(']')
            ? (PeerHost.Clean(authority), defaultPort, path)
            : (PeerHost.Clean(authority[..colon]), ReadPort(authority[(colon + 1)..]), path);
    }

    private static string Join(IReadOnlyList<string> data, int count)
    {
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            _ = i == 0 ? text : text.Append(':');
            text.Append(data[i]);
        }

        return text.ToString();
    }

    private static int ReadPort(string text) =>
        text.Length <= 5 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65535 ? port : 0;

    private static bool TryDecode(string base64, out Bytes32 bytes) => SigilText.TryDecode(Encoding.ASCII.GetBytes(base64), out bytes);
}
