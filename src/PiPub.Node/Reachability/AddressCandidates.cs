using System.Net;
using System.Net.Sockets;
using PiPub.Node.Invites;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Reachability;

/// <summary>What is known of the box's whereabouts at one moment.</summary>
/// <param name="SsbPort">The port listened on for peers.</param>
/// <param name="WebPort">The port listened on for WebSocket.</param>
/// <param name="Networks">The machine's interfaces.</param>
/// <param name="Mappings">What routers pass on.</param>
/// <param name="Observed">The public IPv4 address that peers outside see the box come from; null when none told.</param>
public sealed record Whereabouts(int SsbPort, int WebPort, IReadOnlyList<LocalNetwork> Networks, IReadOnlyList<PortMapping> Mappings, IPAddress? Observed);

/// <summary>Gathers the addresses at which the box may be reached: what the owner said, what routers pass on, what interfaces have, what peers see.</summary>
public static class AddressCandidates
{
    /// <summary>Of an address on an interface that no router is at: a bridge of containers, or a network for visitors.</summary>
    internal const int RankWithoutRouter = 2;

    private const int MaxPublicOfInterfaces = 4;
    private const int RankTemporary = 1;
    private const int RankLast = 3;

    /// <summary>All of them, each once, ordered by origin and rank; TCP before WebSocket.</summary>
    public static IReadOnlyList<AddressCandidate> Find(ReachOptions options, Whereabouts where)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(where);
        var all = new List<AddressCandidate>();
        var known = new HashSet<InviteAddress>();
        AddConfigured();
        AddMapped();
        AddInterfaces(InviteTransport.Net, where.SsbPort, options.SsbBind);
        AddInterfaces(InviteTransport.Ws, where.WebPort, options.WebBind);
        if (where.Observed is { } observed && !OnlyLoopback(options.SsbBind) && !HasPublicIPv4(where.Networks))
        {
            Add(InviteTransport.Net, observed.ToString(), where.SsbPort, AddressOrigin.Observed);
        }

        return [.. all.OrderBy(static a => a.Origin).ThenBy(static a => a.Rank).ThenBy(static a => a.Address.Transport != InviteTransport.Net)];

        void Add(InviteTransport transport, string host, int port, AddressOrigin origin, int rank = 0)
        {
            var address = new InviteAddress(transport, host, port);
            if (port > 0 && known.Add(address))
            {
                all.Add(new AddressCandidate(address, origin, rank));
            }
        }

        void AddConfigured()
        {
            foreach (var host in options.PublicHosts)
            {
                Add(InviteTransport.Net, host, where.SsbPort, AddressOrigin.Configured);
                if (!OnlyLoopback(options.WebBind) || PeerHost.ScopeOf(host) == AddressScope.Device)
                {
                    Add(InviteTransport.Ws, host, where.WebPort, AddressOrigin.Configured);
                }
            }
        }

        void AddMapped()
        {
            foreach (var mapping in where.Mappings)
            {
                // A router that does not tell its outer address: peers have told it.
                if ((mapping.ExternalAddress ?? where.Observed) is { } outer)
                {
                    Add(mapping.InternalPort == where.SsbPort ? InviteTransport.Net : InviteTransport.Ws, outer.ToString(), mapping.ExternalPort, AddressOrigin.Mapping);
                }
            }
        }

        void AddInterfaces(InviteTransport transport, int port, IReadOnlyList<IPAddress> bound)
        {
            var isAll = bound.Count == 0 || bound.Contains(IPAddress.Any) || bound.Contains(IPAddress.IPv6Any);
            foreach (var address in isAll ? [] : bound)
            {
                Add(transport, address.ToString(), port, AddressOrigin.Interface);
            }

            if (!isAll)
            {
                return;
            }

            var publicOnes = 0;
            foreach (var (local, rank) in Ranked(where.Networks))
            {
                var isPublic = PeerHost.ScopeOf(local.Address) == AddressScope.Public;
                if (!isPublic || publicOnes++ < MaxPublicOfInterfaces)
                {
                    Add(transport, local.Address.ToString(), port, AddressOrigin.Interface, rank);
                }
            }

            Add(transport, IPAddress.Loopback.ToString(), port, AddressOrigin.Interface, RankLast);
        }
    }

    /// <summary>Whether an address is one that only its own link knows, which DHCP's absence brought about or which every IPv6 interface has.</summary>
    public static bool IsLinkLocal(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.IsIPv6LinkLocal
            || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..]);
    }

    private static bool OnlyLoopback(IReadOnlyList<IPAddress> bound) => bound.Count > 0 && bound.All(IPAddress.IsLoopback);

    private static bool HasPublicIPv4(IReadOnlyList<LocalNetwork> networks) =>
        networks.Any(static network => network.Addresses.Any(static local =>
            local.Address.AddressFamily == AddressFamily.InterNetwork && PeerHost.ScopeOf(local.Address) == AddressScope.Public));

    private static IEnumerable<(LocalAddress Local, int Rank)> Ranked(IReadOnlyList<LocalNetwork> networks)
    {
        var ranked = new List<(LocalAddress Local, int Rank)>();
        foreach (var network in networks)
        {
            foreach (var local in network.Addresses)
            {
                // An IPv6 link-local address means nothing without the name of an interface.
                if (local.Address.IsIPv6LinkLocal || local.Address.IsIPv6Teredo)
                {
                    continue;
                }

                ranked.Add((local, IsLinkLocal(local.Address) ? RankLast
                    : network.Gateways.Count == 0 ? RankWithoutRouter
                    : local.IsTemporary ? RankTemporary
                    : 0));
            }
        }

        return ranked.OrderBy(static r => r.Rank).ThenBy(static r => r.Local.Address.AddressFamily != AddressFamily.InterNetwork);
    }
}
