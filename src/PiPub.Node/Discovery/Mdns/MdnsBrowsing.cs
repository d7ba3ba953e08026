namespace PiPub.Node.Discovery.Mdns;

/// <summary>Looks for other peers' services through one connection with the daemon, and follows each. Only for the loop's thread.</summary>
/// <param name="client">The connection.</param>
/// <param name="sightings">Told what is found.</param>
/// <param name="failed">Told when it cannot go on with this connection.</param>
internal sealed class MdnsBrowsing(AvahiClient client, MdnsSightings sightings, Action failed)
{
    /// <summary>Services that are followed at one time; a machine is up to two on each interface (IPv4 and IPv6).</summary>
    public const int MaxServices = 128;

    private readonly Dictionary<AvahiServiceName, AvahiServiceResolver> _followed = [];

    /// <summary>Begins to look.</summary>
    public void Start()
    {
        if (client.Browse(SsbService.Type, Told) is null)
        {
            failed();
        }
    }

    private void Told(AvahiServiceEvent told)
    {
        switch (told.Event)
        {
            case AvahiBrowserEvent.Appeared when _followed.Count < MaxServices && !_followed.ContainsKey(told.Service):
                if (client.Resolve(told.Service, SsbService.Type, found => sightings.Found(told.Service, found)) is { } resolver)
                {
                    _followed.Add(told.Service, resolver);
                }

                break;
            case AvahiBrowserEvent.Disappeared when _followed.Remove(told.Service, out var followed):
                followed.Dispose();
                sightings.Gone(told.Service);
                break;
            case AvahiBrowserEvent.Failed:
                failed();
                break;
        }
    }
}
