using PiPub.Node.Sentences;

namespace PiPub.Web.Settings;

/// <summary>How the box is found and reached.</summary>
/// <param name="HostName">Its name on the local network, before <c>.local</c>.</param>
/// <param name="PublicHosts">Names or addresses that lead to it from outside, best first; empty when it finds that out by itself.</param>
/// <param name="MapPort">Whether the home router is asked to let peers in.</param>
/// <param name="Discovery">Whether it finds peers on the local network, and is found by them.</param>
public sealed record NetworkWishes(string HostName, IReadOnlyList<string> PublicHosts, bool MapPort, bool Discovery);

/// <summary>Reads and changes how the box is found and reached.</summary>
public interface INetworkSettings
{
    /// <summary>What is set, be it in force or only after a restart.</summary>
    NetworkWishes Current { get; }

    /// <summary>What the local network calls it now, such as <c>pipub.local</c>; null while it has no name there.</summary>
    string? NameNow { get; }

    /// <summary>Whether something was set that holds only after a restart.</summary>
    bool NeedsRestart { get; }

    /// <summary>Whether this can be a host name on the local network.</summary>
    static bool IsHostName(string? name) =>
        name is { Length: > 0 and <= 63 } && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '-') && name[0] != '-' && name[^1] != '-';

    /// <summary>Whether this can be a name or an address on the internet, without scheme, port and path.</summary>
    static bool IsHost(string? host) => host is { Length: > 0 and <= 253 } && Uri.CheckHostName(host.Trim('[', ']')) != UriHostNameType.Unknown;

    /// <summary>Sets it, from now on (the host name) or from the next start on (the others).</summary>
    /// <exception cref="RefusedException">It cannot be kept; the message says why.</exception>
    void Set(NetworkWishes wishes);
}
