using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Invites;

/// <summary>A way to reach the box.</summary>
/// <param name="Transport">How.</param>
/// <param name="Host">A name or an IP address, an IPv6 one without brackets.</param>
/// <param name="Port">1 to 65535.</param>
public sealed record InviteAddress(InviteTransport Transport, string Host, int Port);

/// <summary>
/// The ways to reach the box that go into invites, best first: what the whole world can reach before what the local
/// network can, TCP before WebSocket. This machine's own loopback is offered only where there is nothing else.
/// </summary>
/// <param name="current">The addresses as they are now; asked anew each time, for they change.</param>
public sealed class InviteAddresses(Func<IReadOnlyList<InviteAddress>> current)
{
    /// <summary>The addresses that clients can read, best first. Empty when there is none.</summary>
    public IReadOnlyList<InviteAddress> Best()
    {
        var addresses = new List<InviteAddress>();
        foreach (var address in current())
        {
            if (InviteHost.IsUnderstoodByClients(address.Host) && !addresses.Contains(address))
            {
                addresses.Add(address);
            }
        }

        var ordered = addresses
            .Where(address => InviteHost.ReachOf(address.Host) != InviteHost.Reach.ThisMachine)
            .OrderBy(address => InviteHost.ReachOf(address.Host))
            .ThenBy(address => address.Transport is InviteTransport.Ws or InviteTransport.Wss)
            .ToList();
        return ordered.Count > 0 ? ordered : addresses;
    }

    /// <summary>
    /// The box's multiserver address as <c>getAddress</c> tells it, several joined by semicolons, or null.
    /// </summary>
    /// <param name="box">The box's identity.</param>
    /// <param name="scope">What JavaScript calls it: public, local, or device and private, which mean this machine; null for all.</param>
    public string? AddressOf(FeedId box, string? scope)
    {
        var wanted = scope switch
        {
            null or "" => (InviteHost.Reach?)null,
            "public" => InviteHost.Reach.Public,
            "local" => InviteHost.Reach.LocalNetwork,
            _ => InviteHost.Reach.ThisMachine,
        };
        var texts = (wanted is null ? Best() : current())
            .Where(address => wanted is null || InviteHost.ReachOf(address.Host) == wanted)
            .Select(address => new InviteCode(address.Transport, address.Host, address.Port, box, default).Address)
            .Distinct();
        var joined = string.Join(';', texts);
        return joined.Length > 0 ? joined : null;
    }
}
