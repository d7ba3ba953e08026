using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// Makes sightings of the <c>_ssb._tcp</c> services that were found. Anybody on the network can announce anything: what has no
/// id, or an address that cannot be a neighbour's, is dropped and counted.
/// </summary>
/// <param name="self">The box, which is not a peer of its own.</param>
/// <param name="neighbourhood">Judges addresses.</param>
/// <param name="sightings">Who is told.</param>
/// <param name="counters">Counts what is dropped.</param>
internal sealed class MdnsSightings(FeedId self, Neighbourhood neighbourhood, ILanSightings sightings, LanCounters counters)
{
    private readonly Dictionary<AvahiServiceName, Service> _services = [];

    /// <summary>A service was found, or tells something else than before.</summary>
    public void Found(AvahiServiceName name, ResolvedService resolved)
    {
        if (!SsbService.TryReadId(resolved.Txt, out var id) || resolved is { Address: null } or { Port: 0 })
        {
            counters.CountDroppedService();
            Gone(name);
            return;
        }

        if (id == self)
        {
            Gone(name);
            return;
        }

        var service = new Service(MultiserverAddress.Of(MultiserverTransport.Net, resolved.Address.ToString(), resolved.Port, id), id);
        if (_services.TryGetValue(name, out var known) && known.Told.Equals(service.Told))
        {
            service = known;
        }
        else
        {
            Gone(name);
            _services.Add(name, service);
        }

        Tell(name, service);
        if (service.Sighting is null)
        {
            counters.CountDroppedService();
        }
    }

    /// <summary>A service is gone.</summary>
    public void Gone(AvahiServiceName name)
    {
        if (_services.Remove(name, out var service) && service.Sighting is { } sighting)
        {
            TakeBack(sighting);
        }
    }

    /// <summary>
    /// Tells of all again: because the machine's networks are others, and so other addresses can be neighbours'; or because
    /// time has passed, and what is not told for long is forgotten.
    /// </summary>
    public void TellAgain()
    {
        foreach (var (name, service) in _services)
        {
            Tell(name, service);
        }
    }

    /// <summary>Nothing is known any more, as nobody looks.</summary>
    public void Clear()
    {
        var feeds = _services.Values.Where(static service => service.Sighting is not null).Select(static service => service.Id).Distinct().ToList();
        _services.Clear();
        feeds.ForEach(feed => sightings.Gone(feed, LanMeans.Mdns));
    }

    private void Tell(AvahiServiceName name, Service service)
    {
        var before = service.Sighting;
        service.Sighting = neighbourhood.TryPlace(service.Told, name.Interface, out var address)
            ? new LanSighting(service.Id, address, LanMeans.Mdns, IsVerified: false, name.Interface, name.Name)
            : null;
        if (before is not null && before != service.Sighting)
        {
            TakeBack(before);
        }

        if (service.Sighting is { } sighting)
        {
            sightings.Saw(sighting);
        }
    }

    /// <summary>Those who take sightings know only that a peer is gone, not which address of it: the others are told again.</summary>
    private void TakeBack(LanSighting sighting)
    {
        sightings.Gone(sighting.Feed, LanMeans.Mdns);
        foreach (var service in _services.Values)
        {
            if (service.Sighting is { } other && other.Feed == sighting.Feed)
            {
                sightings.Saw(other);
            }
        }
    }

    /// <summary>What a service told, and what was made of it; null when that cannot be a neighbour.</summary>
    private sealed class Service(MultiserverAddress told, FeedId id)
    {
        public MultiserverAddress Told => told;

        public FeedId Id => id;

        public LanSighting? Sighting { get; set; }
    }
}
