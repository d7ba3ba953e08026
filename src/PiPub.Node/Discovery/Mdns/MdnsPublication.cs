using System.Net;
using Microsoft.Extensions.Logging;
using PiPub.Node.LocalNetworks;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// What the box publishes through one connection with the daemon: a host name, unless the machine's own will do, and the
/// services on that host. Names that somebody else has are given up for the next. Only for the loop's thread.
/// </summary>
/// <remarks>Sources: RFC 6762 sections 8 and 9; RFC 6763; avahi-client/publish.h 0.8.</remarks>
internal sealed partial class MdnsPublication : IDisposable
{
    /// <summary>Names given up before there is waiting between them, so that a machine that claims every name cannot keep the network busy.</summary>
    private const int QuickConflicts = 15;

    private readonly AvahiClient _client;
    private readonly MdnsOptions _options;
    private readonly Func<IReadOnlyList<LocalNetwork>> _networks;
    private readonly Action<string?> _named;
    private readonly ILogger _logger;
    private readonly RegistrationWatch _addressWatch;
    private readonly RegistrationWatch _serviceWatch;
    private AvahiEntryGroup? _addressGroup;
    private AvahiEntryGroup? _serviceGroup;
    private List<(int Interface, IPAddress Address)> _addresses = [];
    private string _label;
    private string _serviceName;
    private string? _domain;
    private string? _host;
    private int _conflicts;
    private bool _isMachineName;
    private bool _isRefusalTold;

    /// <summary>Nothing is published before <see cref="Refresh"/>.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="options">What is wanted.</param>
    /// <param name="networks">The machine's networks now.</param>
    /// <param name="named">Told of the name that leads to the box; null when there is none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public MdnsPublication(
        AvahiClient client, MdnsOptions options, Func<IReadOnlyList<LocalNetwork>> networks, Action<string?> named, TimeProvider time, ILogger logger)
    {
        (_client, _options, _networks, _named, _logger) = (client, options, networks, named, logger);
        (_label, _serviceName) = (options.HostName, options.ServiceName);
        _addressWatch = new RegistrationWatch(client.Loop, IfConnected(PublishAddresses), time);
        _serviceWatch = new RegistrationWatch(client.Loop, IfConnected(PublishServices), time);
    }

    /// <summary>Looks whether the machine's name or addresses are others, and publishes accordingly.</summary>
    public void Refresh()
    {
        if (!_options.IsAnythingReachable || _client.HostName is not { } machine || _client.DomainName is not { } domain)
        {
            return;
        }

        _domain = domain;
        _isMachineName = MdnsHostName.IsForBox(machine, _options.HostName);
        if (_isMachineName)
        {
            WithdrawAddresses();
            Take($"{machine}.{domain}");
            return;
        }

        var addresses = _options.AddressesOn(_networks());
        if (_addressGroup is null || !addresses.SequenceEqual(_addresses))
        {
            _addresses = addresses;
            PublishAddresses();
        }
    }

    /// <summary>Tries no further. What is published ends with the connection.</summary>
    public void Dispose()
    {
        _addressWatch.Dispose();
        _serviceWatch.Dispose();
    }

    private void WithdrawAddresses()
    {
        _addressWatch.Dispose();
        _addressGroup?.Dispose();
        _addressGroup = null;
    }

    private void PublishAddresses()
    {
        WithdrawAddresses();
        if (_isMachineName)
        {
            return;
        }

        if (_addresses.Count == 0)
        {
            Take(null);
            return;
        }

        if (_client.AddGroup((_, state) => AddressesAre(state)) is not { } group)
        {
            Refused(_client.LastError);
            return;
        }

        _addressGroup = group;
        var added = 0;
        foreach (var (interfaceIndex, address) in _addresses)
        {
            switch (group.AddAddress(interfaceIndex, $"{_label}.{_domain}", address))
            {
                case 0:
                    added++;
                    break;
                case AvahiApi.ErrorCollision:
                    // Another program of this machine has the name for itself alone.
                    NextLabel();
                    return;
                case var error:
                    var reason = AvahiApi.Words(error);
                    CannotPublishAddress(address, reason);
                    break;
            }
        }

        if (added > 0 && group.Commit() is not 0 and var refused)
        {
            Refused(refused);
        }
    }

    private void AddressesAre(AvahiEntryGroupState state)
    {
        switch (state)
        {
            case AvahiEntryGroupState.Registering:
                _addressWatch.Begun();
                break;
            case AvahiEntryGroupState.Established:
                _addressWatch.Ended();
                Take($"{_label}.{_domain}");
                break;
            case AvahiEntryGroupState.Collision:
                NextLabel();
                break;
            case AvahiEntryGroupState.Failure:
                Refused(_client.LastError);
                break;
        }
    }

    private unsafe void NextLabel()
    {
        NameIsTaken(_label);
        _label = AvahiApi.TakeText(AvahiApi.avahi_alternative_host_name(_label)) ?? _label;
        AfterConflict(_addressWatch, PublishAddresses);
    }

    private void Take(string? host)
    {
        if (host == _host)
        {
            return;
        }

        _host = host;
        PublishServices();
        _named(host);
    }

    private void PublishServices()
    {
        _serviceWatch.Dispose();
        _serviceGroup?.Dispose();
        _serviceGroup = null;
        if (_host is null || _options.ServicesOn(_host) is not { Count: > 0 } services)
        {
            return;
        }

        if (_client.AddGroup((_, state) => ServicesAre(state)) is not { } group)
        {
            Refused(_client.LastError);
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
            case AvahiEntryGroupState.Registering:
                _serviceWatch.Begun();
                break;
            case AvahiEntryGroupState.Established:
                _serviceWatch.Ended();
                break;
            case AvahiEntryGroupState.Collision:
                NextServiceName();
                break;
            case AvahiEntryGroupState.Failure:
                Refused(_client.LastError);
                break;
        }
    }

    private unsafe void NextServiceName()
    {
        NameIsTaken(_serviceName);
        _serviceName = AvahiApi.TakeText(AvahiApi.avahi_alternative_service_name(_serviceName)) ?? _serviceName;
        AfterConflict(_serviceWatch, PublishServices);
    }

    /// <summary>At once at first, and ever less often when it does not end.</summary>
    private void AfterConflict(RegistrationWatch watch, Action publish)
    {
        watch.Dispose();
        if (++_conflicts <= QuickConflicts)
        {
            _client.Loop.Post(IfConnected(publish));
        }
        else
        {
            watch.Begun();
        }
    }

    private Action IfConnected(Action work) => () =>
    {
        if (_client.Native != 0)
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
            var reason = AvahiApi.Words(error);
            CannotPublish(reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Name} is taken already on the local network.")]
    private partial void NameIsTaken(string name);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} is not published by mDNS: {Reason}.")]
    private partial void CannotPublishAddress(IPAddress address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "avahi-daemon does not publish the box on the local network: {Reason}. Its settings are in /etc/avahi/avahi-daemon.conf.")]
    private partial void CannotPublish(string reason);
}
