using System.Globalization;
using System.Text;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Invites;

/// <summary>Takes invite codes apart, in every form that is met.</summary>
/// <remarks>
/// References: ssb-ref 2.16.0, multiserver-address 1.0.1. Stricter than ssb-ref where that lets through what nobody can
/// connect to (ports below 1 and of 65536, codes without a seed), and more lenient where people paste (quotes, white
/// space, brackets around an IPv6 address, a wss address without its port).
/// </remarks>
internal static class InviteCodeText
{
    private const int MaxLength = 2048;
    private const string NotACode = "This is not an invite code. One looks like pub.example:8008:@(44 characters).ed25519~(44 characters).";

    public static bool TryParse(string? text, out InviteCode? code, out string problem)
    {
        code = null;
        var plain = Clean(text);
        if (plain.Length == 0)
        {
            problem = "The invite code is empty.";
        }
        else if (plain.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || plain.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            problem = "This is the address of a web page, not an invite code. Open it in a browser; the page shows how to join.";
        }
        else
        {
            (code, problem) = plain.Contains("~shs:", StringComparison.Ordinal) ? ParseMultiserver(plain) : ParseLegacy(plain);
        }

        return code is not null;
    }

    // No form has white space, quotes or anything behind a '#' that matters.
    private static string Clean(string? text)
    {
        if (text is null || text.Length > MaxLength)
        {
            return "";
        }

        var plain = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c == '#')
            {
                break;
            }

            if (!char.IsWhiteSpace(c) && !char.IsControl(c) && c is not ('"' or '\'' or '`' or '\u201c' or '\u201d' or '\u200b' or '\ufeff'))
            {
                plain.Append(c);
            }
        }

        return plain.ToString();
    }

    private static (InviteCode?, string) ParseLegacy(string text)
    {
        var tilde = text.IndexOf('~');
        if (tilde < 0 || text.IndexOf('~', tilde + 1) >= 0)
        {
            return (null, tilde < 0 && text.Contains(":@", StringComparison.Ordinal)
                ? "This is a pub's address, not an invite code: the part behind ~ is missing."
                : NotACode);
        }

        var transport = InviteTransport.Net;
        var start = 0;
        if (text.StartsWith("ws://", StringComparison.Ordinal))
        {
            (transport, start) = (InviteTransport.Ws, 5);
        }
        else if (text.StartsWith("wss://", StringComparison.Ordinal))
        {
            (transport, start) = (InviteTransport.Wss, 6);
        }

        var address = text[start..tilde];
        var keyAt = address.LastIndexOf(':');
        var portAt = keyAt > 0 ? address.LastIndexOf(':', keyAt - 1) : -1;
        if (portAt < 0)
        {
            return (null, NotACode);
        }

        if (!FeedId.TryParse(address.AsSpan(keyAt + 1), out var pub))
        {
            return (null, "The pub's id in this invite code is damaged. Copy the whole code again.");
        }

        var port = address[(portAt + 1)..keyAt];
        return Join(transport, address[..portAt], port.Length == 0 ? InviteCode.DefaultPort : ParsePort(port), pub, text[(tilde + 1)..]);
    }

    private static (InviteCode?, string) ParseMultiserver(string text)
    {
        var problem = NotACode;
        foreach (var alternative in SplitUnescaped(text, ';'))
        {
            var layers = SplitUnescaped(alternative, '~');
            if (layers.Count < 2 || !layers[1].StartsWith("shs:", StringComparison.Ordinal))
            {
                continue;
            }

            var (code, why) = ParseAlternative(SplitUnescaped(layers[0], ':'), SplitUnescaped(layers[1], ':'));
            if (code is not null)
            {
                return (code, "");
            }

            problem = why;
        }

        return (null, problem);
    }

    private static (InviteCode?, string) ParseAlternative(List<string> where, List<string> who)
    {
        InviteTransport transport;
        switch (where[0])
        {
            case "net": transport = InviteTransport.Net; break;
            case "onion": transport = InviteTransport.Onion; break;
            case "ws": transport = InviteTransport.Ws; break;
            case "wss": transport = InviteTransport.Wss; break;
            default: return (null, $"This invite needs a way to connect that is not known here: {where[0]}.");
        }

        var isUrl = transport is InviteTransport.Ws or InviteTransport.Wss;
        var data = where.GetRange(1, where.Count - 1).ConvertAll(Unescape);
        if (isUrl && data.Count > 0 && data[0].StartsWith("//", StringComparison.Ordinal))
        {
            data[0] = data[0][2..];
        }

        int port;
        if (isUrl && data.Count == 1)
        {
            port = transport == InviteTransport.Ws ? 80 : 443;
        }
        else if (data.Count >= 2)
        {
            port = ParsePort(data[^1]);
            data.RemoveAt(data.Count - 1);
        }
        else
        {
            return (null, NotACode);
        }

        if (who.Count < 2 || !TryDecodeKey(who[1], out var pub))
        {
            return (null, "The pub's key in this invite code is damaged. Copy the whole code again.");
        }

        return who.Count < 3
            ? (null, "This is a pub's address, not an invite code: the seed at its end is missing.")
            : Join(transport, string.Join(':', data), port, new FeedId(pub), who[2]);
    }

    private static (InviteCode?, string) Join(InviteTransport transport, string host, int port, FeedId pub, string seed)
    {
        if (host.Length > 2 && host[0] == '[' && host[^1] == ']')
        {
            host = host[1..^1];
        }

        if (port is < 1 or > 65535)
        {
            return (null, "The port in this invite code is not a number from 1 to 65535.");
        }

        if (!PeerHost.TryParseAddress(host, out _) && !PeerHost.IsName(host))
        {
            return (null, "The host in this invite code is neither a name nor an IP address.");
        }

        if (!TryDecodeKey(seed, out var seedBytes))
        {
            return (null, "The end of this invite code is damaged or cut off. Copy the whole code again.");
        }

        if (transport == InviteTransport.Net && host.EndsWith(".onion", StringComparison.OrdinalIgnoreCase))
        {
            transport = InviteTransport.Onion;
        }

        return (new InviteCode(transport, host, port, pub, seedBytes), "");
    }

    private static int ParsePort(string text) =>
        text.Length <= 5 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : 0;

    // The spelling of the trailing bits is not judged: ssb-ref does not either for seeds.
    private static bool TryDecodeKey(string base64, out Bytes32 bytes)
    {
        Span<byte> decoded = stackalloc byte[33];
        var ok = base64.Length == 44 && Convert.TryFromBase64String(base64, decoded, out var written) && written == Bytes32.Length;
        bytes = ok ? new Bytes32(decoded[..Bytes32.Length]) : default;
        return ok;
    }

    // In multiserver addresses '!' before a separator makes it an ordinary character.
    private static List<string> SplitUnescaped(string text, char separator)
    {
        var parts = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '!')
            {
                i++;
            }
            else if (text[i] == separator)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static string Unescape(string text)
    {
        if (!text.Contains('!'))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '!' && i + 1 < text.Length)
            {
                i++;
            }

            plain.Append(text[i]);
        }

        return plain.ToString();
    }
}
