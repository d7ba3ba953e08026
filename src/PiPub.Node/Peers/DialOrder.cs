using System.Net;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Peers;

/// <summary>Which known addresses are due to be dialled, and in which order.</summary>
/// <remarks>
/// After ssb-conn 6.0.4 conn-scheduler.js. Due is an address whose pause is over (<see cref="ConnectionBackoff"/>) and whose peer
/// is wanted and not connected. The local network comes before the internet, what the owner gave before what others told, and
/// then whatever has failed least often. What others told is dialled only when its feed is in the social graph, and never
/// when it is loopback, a link-local address without an interface, or this box itself.
/// </remarks>
internal sealed class DialOrder(PeerServer server, IPeerPolicy policy, TimeProvider time, Random random)
{
    public Func<IPAddress, bool> IsOwn { get; set; } = IPAddress.IsLoopback;

    public Func<bool> IsOnline { get; set; } = static () => true;

    /// <summary>Whether an address lies in the local network.</summary>
    public static bool IsLocal(BookedAddress address) =>
        address.Source == AddressSource.LocalNetwork || address.Address.Scope == AddressScope.Local;

    /// <summary>The addresses that are due, at most one for each peer, the first to be dialled first.</summary>
    /// <param name="addresses">All that are known.</param>
    /// <param name="fullness">How many of the wanted connections stand, 0 to 1.</param>
    public List<BookedAddress> Due(IReadOnlyList<BookedAddress> addresses, double fullness)
    {
        var isOnline = IsOnline();
        var due = new List<(BookedAddress Address, TimeSpan Pause)>();
        foreach (var address in addresses)
        {
            if (address.IsBusy || server.Peers.FindConnected(address.Feed) is not null || HopsIfWanted(address) is not { } hops
                || (!isOnline && address.Address.Scope == AddressScope.Public))
            {
                continue;
            }

            var experience = new ConnectionBackoff.Experience(
                address.Failures,
                address.LastAttempt is not null || address.Failures > 0 || address.ConnectedAt is not null,
                address.ConnectedAt is not null,
                IsLocal(address),
                address.Source == AddressSource.Owner);
            var pause = ConnectionBackoff.Pause(experience, hops, fullness, random.NextDouble());
            if (address.LastAttempt is not { } last || time.GetElapsedTime(last) >= pause)
            {
                due.Add((address, pause));
            }
        }

        due.Sort(Compare);

        // The other addresses of a peer have their turn when this one fails.
        var seen = new HashSet<FeedId>();
        return due.FindAll(candidate => seen.Add(candidate.Address.Feed)).ConvertAll(static candidate => candidate.Address);
    }

    private static int Compare((BookedAddress Address, TimeSpan Pause) a, (BookedAddress Address, TimeSpan Pause) b)
    {
        var byPlace = IsLocal(b.Address).CompareTo(IsLocal(a.Address));
        var byOwner = (a.Address.Source != AddressSource.Owner).CompareTo(b.Address.Source != AddressSource.Owner);
        var byFailures = a.Address.Failures.CompareTo(b.Address.Failures);
        return byPlace != 0 ? byPlace : byOwner != 0 ? byOwner : byFailures != 0 ? byFailures : a.Pause.CompareTo(b.Pause);
    }

    /// <summary>The distance that counts for the pause; null when the address is not to be dialled.</summary>
    private int? HopsIfWanted(BookedAddress address)
    {
        if (address.Source == AddressSource.Owner)
        {
            return 0;
        }

        if (PeerHost.TryParseAddress(address.Address.Host, out var ip)
            && (PeerHost.ScopeOf(ip) == AddressScope.Device || ip is { IsIPv6LinkLocal: true, ScopeId: 0 } || IsOwn(ip)))
        {
            return null;
        }

        return address.Source == AddressSource.Invite ? 0 : policy.HopsOf(address.Feed) is >= 0 and var hops ? hops : null;
    }
}
