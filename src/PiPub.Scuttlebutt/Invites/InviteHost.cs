using PiPub.Scuttlebutt.Addresses;

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

        return PeerHost.TryParseAddress(host, out _) ? !host.Contains('%') : PeerHost.IsName(host) && HasTopLevel(host);
    }

    /// <summary>Judges how far a host reaches, as <see cref="PeerHost.ScopeOf(string)"/> does.</summary>
    public static Reach ReachOf(string host) => PeerHost.ScopeOf(host) switch
    {
        AddressScope.Public => Reach.Public,
        AddressScope.Local => Reach.LocalNetwork,
        _ => Reach.ThisMachine,
    };

    private static bool HasTopLevel(string name)
    {
        var dot = name.LastIndexOf('.');
        return dot > 0 && name.AsSpan(dot + 1).ContainsAnyExceptInRange('0', '9') && !name.AsSpan(dot + 1).Contains('_');
    }
}
