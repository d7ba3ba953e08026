using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace PiPub.Scuttlebutt.Invites;

/// <summary>What may stand as the host of an invite, and how far such an address reaches.</summary>
/// <remarks>Reference: ssb-ref 2.16.0 (isHost), which uses is-valid-domain and ip.</remarks>
public static class InviteHost
{
    /// <summary>How far an address can be reached from, the farthest first.</summary>
    public enum Reach
    {
        /// <summary>A domain name or a public IP address.</summary>
        Public,

        /// <summary>A private address, or a name that only the local network knows.</summary>
        LocalNetwork,

        /// <summary>Only this machine.</summary>
        ThisMachine,
    }

    /// <summary>
    /// True when the JavaScript clients accept an invite with this host: an IP address without brackets, localhost, or a
    /// domain name of at least two labels. They refuse a single word, which many a home router would resolve.
    /// </summary>
    public static bool IsUnderstoodByClients(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host == "localhost")
        {
            return true;
        }

        return TryParseAddress(host, out _) ? !host.Contains('%') : IsName(host) && HasTopLevel(host);
    }

    /// <summary>Judges how far a host reaches. A name counts as public unless it ends in <c>.local</c> or is one word.</summary>
    public static Reach ReachOf(string host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (TryParseAddress(host, out var address))
        {
            return ReachOf(address);
        }

        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return Reach.ThisMachine;
        }

        return !host.Contains('.') || host.EndsWith(".local", StringComparison.OrdinalIgnoreCase) ? Reach.LocalNetwork : Reach.Public;
    }

    /// <summary>Judges how far an IP address reaches.</summary>
    public static Reach ReachOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            return Reach.ThisMachine;
        }

        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal ? Reach.LocalNetwork : Reach.Public;
        }

        Span<byte> bytes = stackalloc byte[4];
        _ = address.TryWriteBytes(bytes, out _);
        // RFC 1918, RFC 3927 (link-local), RFC 6598 (shared behind a carrier's NAT).
        var isPrivate = bytes[0] == 10
            || (bytes[0] == 172 && (bytes[1] & 0xF0) == 16)
            || (bytes[0] == 192 && bytes[1] == 168)
            || (bytes[0] == 169 && bytes[1] == 254)
            || (bytes[0] == 100 && (bytes[1] & 0xC0) == 64);
        return isPrivate ? Reach.LocalNetwork : Reach.Public;
    }

    /// <summary>Reads an IP address without brackets; the short forms of IPv4 (127.1, 1) are none.</summary>
    internal static bool TryParseAddress(string host, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(host, out address)
        && !host.StartsWith('[')
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || host.AsSpan().Count('.') == 3);

    /// <summary>True for a name that may stand in DNS: labels of letters, digits, hyphens and underscores.</summary>
    internal static bool IsName(string host)
    {
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

    private static bool HasTopLevel(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot > 0 && name.AsSpan(dot + 1).ContainsAnyExceptInRange('0', '9') && !name.AsSpan(dot + 1).Contains('_');
    }
}
