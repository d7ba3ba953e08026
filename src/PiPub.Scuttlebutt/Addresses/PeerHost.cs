using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace PiPub.Scuttlebutt.Addresses;

/// <summary>Where an address means anything; the narrowest first.</summary>
public enum AddressScope
{
    /// <summary>Only on this machine.</summary>
    Device,

    /// <summary>In the local network.</summary>
    Local,

    /// <summary>Everywhere.</summary>
    Public,
}

/// <summary>What may stand as the host of an address, and how far such a host reaches.</summary>
/// <remarks>Sources: multiserver 3.8.2 (scopes device, local, public); RFC 1112, 1918, 3927, 4193, 4291, 6052, 6598 and 6762.</remarks>
public static class PeerHost
{
    private static readonly SearchValues<char> ZoneCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~");

    private static ReadOnlySpan<byte> Translated => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>
    /// Judges how far a host reaches. A name counts as public unless it is localhost, one word, or in a domain that only a
    /// local network knows (local, lan, home.arpa, internal).
    /// </summary>
    public static AddressScope ScopeOf(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (TryParseAddress(host, out var address))
        {
            return ScopeOf(address);
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || EndsWith(".localhost"))
        {
            return AddressScope.Device;
        }

        return !host.Contains('.') || EndsWith(".local") || EndsWith(".lan") || EndsWith(".home.arpa") || EndsWith(".internal")
            ? AddressScope.Local
            : AddressScope.Public;

        bool EndsWith(string domain) => host.EndsWith(domain, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Judges how far an IP address reaches. The unspecified address reaches no farther than this machine.</summary>
    public static AddressScope ScopeOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            return AddressScope.Device;
        }

        Span<byte> bytes = stackalloc byte[16];
        _ = address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // A translator makes the IPv4 address of its last four bytes: 64:ff9b::/96, RFC 6052.
            return bytes[..12].SequenceEqual(Translated) ? ScopeOf(new IPAddress(bytes[12..]))
                : address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal || address.IsIPv6Multicast ? AddressScope.Local
                : AddressScope.Public;
        }

        // Private, link-local, shared behind a carrier's NAT; this network, multicast and reserved ones, where no peer can be.
        var isLocal = bytes[0] is 10 or 0 or >= 224
            || (bytes[0] == 172 && (bytes[1] & 0xF0) == 16)
            || (bytes[0] == 192 && bytes[1] == 168)
            || (bytes[0] == 169 && bytes[1] == 254)
            || (bytes[0] == 100 && (bytes[1] & 0xC0) == 64);
        return isLocal ? AddressScope.Local : AddressScope.Public;
    }

    /// <summary>Reads an IP address without brackets; the short forms of IPv4 (127.1, 1) are none.</summary>
    public static bool TryParseAddress(string host, [NotNullWhen(true)] out IPAddress? address)
    {
        ArgumentNullException.ThrowIfNull(host);
        return IPAddress.TryParse(host, out address)
            && !host.StartsWith('[')
            && IsZoneOrNone(host)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || host.AsSpan().Count('.') == 3);
    }

    // .NET takes anything behind the percent sign. Source: RFC 6874 section 2, ZoneID without its percent-encoding.
    private static bool IsZoneOrNone(string host) =>
        host.IndexOf('%') is var at && (at < 0 || (at + 1 < host.Length && !host.AsSpan(at + 1).ContainsAnyExcept(ZoneCharacters)));

    /// <summary>True for a name that may stand in DNS: labels of letters, digits, hyphens and underscores.</summary>
    public static bool IsName(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.Length is 0 or > 253)
        {
            return false;
        }

        foreach (var range in host.AsSpan().Split('.'))
        {
            var label = host.AsSpan(range);
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
            {
                return false;
            }

            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The host without the brackets of IPv6, or nothing if it is neither a name nor an IP address.</summary>
    internal static string Clean(string host)
    {
        var isBracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
        var bare = isBracketed ? host[1..^1] : host;
        if (TryParseAddress(bare, out var address))
        {
            return isBracketed && address.AddressFamily != AddressFamily.InterNetworkV6 ? "" : bare;
        }

        return !isBracketed && IsName(bare) ? bare : "";
    }
}
