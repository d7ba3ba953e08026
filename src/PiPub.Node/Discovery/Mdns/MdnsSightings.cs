using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// Makes sightings of the <c>_ssb._tcp</c> services that were found. Anybody on the network can announce anything: what has no
/// id, or an address that cannot be a neighbour's, is dropped and counted.
/// </summary>
/// <param name="self">The box, which is not a peer of its own.</param>
/// <param name="networks">The machine's networks now.</param>
/// <param name="sightings">Who is told.</param>
internal sealed class MdnsSightings(FeedId self, Func<IReadOnlyList<LocalNetwork>> networks, ILanSightings sightings)
{
    private readonly Dictionary<AvahiServiceName, LanSighting> _seen = [];

    /// <summary>Services that were dropped for what they told.</summary>
    public long Dropped { get; private set; }

    /// <summary>A service was found, or tells something else than before.</summary>
    public void Found(AvahiServiceName service, ResolvedService resolved)
    {
        var sighting = Judge(service, resolved);
        if (_seen.TryGetValue(service, out var before) && before != sighting)
        {
            Forget(service, before);
        }

        if (sighting is not null)
        {
            _seen[service] = sighting;
            sightings.Saw(sighting);
        }
    }

    /// <summary>A service is gone.</summary>
    public void Gone(AvahiServiceName service)
    {
        if (_seen.TryGetValue(service, out var sighting))
        {
            Forget(service, sighting);
        }
    }

    /// <summary>Nothing is known any more, as nobody looks.</summary>
    public void Clear()
    {
        var feeds = _seen.Values.Select(static sighting => sighting.Feed).Distinct().ToList();
        _seen.Clear();
        feeds.ForEach(feed => sightings.Gone(feed, LanMeans.Mdns));
    }

    /// <summary>A peer is gone when none of its services is left; another address of it is told again, without the one that went.</summary>
    private void Forget(AvahiServiceName service, LanSighting sighting)
    {
        _seen.Remove(service);
        sightings.Gone(sighting.Feed, LanMeans.Mdns);
        foreach (var other in _seen.Values)
        {
            if (other.Feed == sighting.Feed)
            {
                sightings.Saw(other);
            }
        }
    }

    private LanSighting? Judge(AvahiServiceName service, ResolvedService resolved)
    {
        if (!SsbService.TryReadId(resolved.Txt, out var id))
        {
            Dropped++;
            return null;
        }

        if (id == self)
        {
            return null;
        }

        if (resolved.Port == 0 || resolved.Address is not { } address || !CanBeNeighbour(service.Interface, address))
        {
            // avahi finds this machine's other services on the loopback interface, too.
            Dropped += resolved.IsLocal ? 0 : 1;
            return null;
        }

        return new LanSighting(id, AddressOf(address, resolved.Port, service.Interface, id), LanMeans.Mdns, IsVerified: false, service.Interface, Clean(service.Name));
    }

    /// <summary>A local address, or one in the subnet of that interface, as global IPv6 addresses are.</summary>
    private bool CanBeNeighbour(int interfaceIndex, IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6 || address.IsIPv6Multicast || (address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes()[0] is 0 or >= 224))
        {
            return false;
        }

        return PeerHost.ScopeOf(address) switch
        {
            AddressScope.Device => false,
            AddressScope.Local => true,
            _ => networks().Any(network => network.Index == interfaceIndex && network.Addresses.Any(own => own.IsNeighbour(address))),
        };
    }

    private MultiserverAddress AddressOf(IPAddress address, int port, int interfaceIndex, FeedId id)
    {
        var plain = MultiserverAddress.Of(MultiserverTransport.Net, address.ToString(), port, id);
        if (!address.IsIPv6LinkLocal)
        {
            return plain;
        }

        var zone = networks().FirstOrDefault(network => network.Index == interfaceIndex)?.Name ?? interfaceIndex.ToString(CultureInfo.InvariantCulture);
        var host = $"{plain.Host}%{zone}";
        return MultiserverAddress.TryParse($"net:{host}:{port}~shs:{Convert.ToBase64String(id.AsSpan())}", out var zoned) ? zoned : plain;
    }

    /// <summary>A name for people to read: what could play tricks on a terminal is taken out.</summary>
    private static string Clean(string name) => string.Concat(name.Where(static c => !char.IsControl(c) && char.GetUnicodeCategory(c) != UnicodeCategory.Format));
}
