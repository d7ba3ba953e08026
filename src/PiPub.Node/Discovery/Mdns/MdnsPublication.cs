using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// What the box publishes through one connection with the daemon: a host name, unless the machine's own will do, and the
/// services on that host. Names that somebody else has are given up for the next. Only for the loop's thread.
/// </summary>
/// <remarks>Sources: RFC 6762 sections 8 and 9; RFC 6763; avahi-client/publish.h 0.8.</remarks>
internal sealed partial class MdnsPublication(
    AvahiClient client, MdnsOptions options, Func<IReadOnlyList<LocalNetwork>> networks, Action<string?> named, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>Names given up before it is waited between them, so that a machine that claims every name cannot keep the network busy.</summary>
    private const int QuickConflicts = 15;

    private static readonly TimeSpan BetweenConflicts = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger = logger;
    private AvahiEntryGroup? _addressGroup;
    private AvahiEntryGroup? _serviceGroup;
    private List<(int Interface, IPAddress Address)> _addresses = [];
    private string _label = options.HostName;
    private string _serviceName = options.ServiceName;
    private string? _host;
    private int _conflicts;
    private ITimer? _later;
    private bool _isRefusalTold;

    /// <summary>Looks whether the machine's name or addresses are others, and publishes accordingly.</summary>
    public void Refresh()
    {
        if (!options.IsAnythingReachable || client.HostName is not { } machine || client.DomainName is not { } domain)
        {
            return;
        }

        if (MdnsHostName.IsForBox(machine, options.HostName))
        {
            _addressGroup?.Dispose();
            _addressGroup = null;
            Take($"{machine}.{domain}");
            return;
        }

        var addresses = options.AddressesOn(networks());
        if (_addressGroup is null || !addresses.SequenceEqual(_addresses))
        {
            _addresses = addresses;
            PublishAddresses(domain);
        }
    }

    /// <summary>Tries no further. What is published ends with the connection.</summary>
    public void Dispose() => _later?.Dispose();

    private void PublishAddresses(string domain)
    {
        _addressGroup?.Dispose();
        _addressGroup = null;
        if (_addresses.Count == 0)
        {
            Take(null);
            return;
        }

        if (client.AddGroup((_, state) => AddressesAre(state, domain)) is not { } group)
        {
            Refused(client.LastError);
            return;
        }

        _addressGroup = group;
        var added = 0;
        foreach (var (interfaceIndex, address) in _addresses)
        {
            switch (group.AddAddress(interfaceIndex, $"{_label}.{domain}", address))
            {
                case 0:
                    added++;
                    break;
                case AvahiApi.ErrorCollision:
                    // Another program of this machine has the name.
                    NextLabel(domain);
                    return;
                case var error:
                    CannotPublishAddress(address, AvahiApi.Words(error));
                    break;
            }
        }

        if (added > 0 && group.Commit() is not 0 and var refused)
        {
            Refused(refused);
        }
    }

    private void AddressesAre(AvahiEntryGroupState state, string domain)
    {
        switch (state)
        {
            case AvahiEntryGroupState.Established:
                Take($"{_label}.{domain}");
                break;
            case AvahiEntryGroupState.Collision:
                NextLabel(domain);
                break;
            case AvahiEntryGroupState.Failure:
                Refused(client.LastError);
                break;
        }
    }

    private unsafe void NextLabel(string domain)
    {
        NameIsTaken($"{_label}.{domain}");
        _label = AvahiApi.TakeText(AvahiApi.avahi_alternative_host_name(_label)) ?? _label;
        AfterConflict(() => PublishAddresses(domain));
    }

    private void Take(string? host)
    {
        if (host == _host)
        {
            return;
        }

        _host = host;
        PublishServices();
        named(host);
    }

    private void PublishServices()
    {
        _serviceGroup?.Dispose();
        _serviceGroup = null;
        if (_host is null || options.ServicesOn(_host) is not { Count: > 0 } services)
        {
            return;
        }

        if (client.AddGroup((_, state) => ServicesAre(state)) is not { } group)
        {
            Refused(client.LastError);
            return;
        }

        _serviceGroup = group;
        foreach (var (type, port, txt) in services)
        {
            switch (group.AddService(_serviceName, type, _host, port, txt))
            {
                case 0:
                    break;
                case AvahiApi.ErrorCollision:
                    NextServiceName();
                    return;
                case var error:
                    Refused(error);
                    return;
            }
        }

        if (group.Commit() is not 0 and var refused)
        {
            Refused(refused);
        }
    }

    private void ServicesAre(AvahiEntryGroupState state)
    {
        switch (state)
        {
            case AvahiEntryGroupState.Collision:
                NextServiceName();
                break;
            case AvahiEntryGroupState.Failure:
                Refused(client.LastError);
                break;
        }
    }

    private unsafe void NextServiceName()
    {
        NameIsTaken(_serviceName);
        _serviceName = AvahiApi.TakeText(AvahiApi.avahi_alternative_service_name(_serviceName)) ?? _serviceName;
        AfterConflict(PublishServices);
    }

    /// <summary>At once at first, and seldom when it does not end.</summary>
    private void AfterConflict(Action publish)
    {
        if (++_conflicts <= QuickConflicts)
        {
            client.Loop.Post(IfConnected(publish));
            return;
        }

        _later?.Dispose();
        _later = time.CreateTimer(_ => client.Loop.Post(IfConnected(publish)), null, BetweenConflicts, Timeout.InfiniteTimeSpan);
    }

    private Action IfConnected(Action work) => () =>
    {
        if (client.Native != 0)
        {
            work();
        }
    };

    private void Refused(int error)
    {
        // A connection that is lost is made anew, and all is published again.
        if (error != AvahiApi.ErrorDisconnected && !_isRefusalTold)
        {
            _isRefusalTold = true;
            CannotPublish(AvahiApi.Words(error));
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name} is taken already on the local network.")]
    private partial void NameIsTaken(string name);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} is not published by mDNS: {Reason}.")]
    private partial void CannotPublishAddress(IPAddress address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "avahi-daemon does not publish the box on the local network: {Reason}. Its settings are in /etc/avahi/avahi-daemon.conf.")]
    private partial void CannotPublish(string reason);
}
