using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>Asks a router in UPnP, through libminiupnpc: maps a port for IPv4, opens a pinhole for IPv6.</summary>
/// <remarks>
/// Source: UPnP InternetGatewayDevice 1 and 2 (services WANIPConnection, WANPPPConnection, WANIPv6FirewallControl). Leases are asked
/// for in seconds; a router that only knows permanent ones (error 725) gets one, which is taken back on stop.
/// </remarks>
internal sealed class UpnpClient(BlockingCalls calls, TimeProvider time) : IMappingClient
{
    private const int Conflict = 718;
    private const int OtherTries = 3;
    private const int MaxRemembered = 16;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<(IPAddress Gateway, IPAddress Local), UpnpGateway> _found = new();
    private readonly ConcurrentDictionary<(IPAddress Local, int Port), string> _pinholes = new();

    /// <inheritdoc/>
    public MappingProtocol Protocol => MappingProtocol.Upnp;

    /// <inheritdoc/>
    public TimeSpan? LookAgain { get; } = TimeSpan.FromMinutes(10);

    /// <inheritdoc/>
    public bool Serves(AddressFamily family) => true;

    /// <inheritdoc/>
    public async Task<MappingAnswer> MapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        if (UpnpLibrary.Instance is not { } library)
        {
            return MappingAnswer.Silent("Not tried: the library libminiupnpc is missing (Debian package libminiupnpc17, or libminiupnpc18 from Debian 13 on).");
        }

        var key = (request.Route.Gateway, request.Route.Local.Address);
        try
        {
            // What was found before may have moved, since a router chooses its port anew when it starts.
            if (_found.TryGetValue(key, out var gateway))
            {
                var answer = await calls.RunAsync(stop => Map(library, gateway, request, stop), Limit, cancellationToken);
                if (answer.IsAnswered)
                {
                    return answer;
                }

                _ = _found.TryRemove(key, out _);
            }

            if (await SsdpSearch.FindAsync(request.Route, time, cancellationToken) is not { } description)
            {
                return MappingAnswer.Silent("The router does not answer.");
            }

            gateway = await calls.RunAsync(_ => library.Describe(description), Limit, cancellationToken);
            if (gateway is null)
            {
                return MappingAnswer.Silent("The router answers, but does not describe itself as one that passes connections on.");
            }

            var result = await calls.RunAsync(stop => Map(library, gateway, request, stop), Limit, cancellationToken);
            if (result.IsAnswered)
            {
                if (_found.Count >= MaxRemembered)
                {
                    _found.Clear();
                }

                _found[key] = gateway;
            }

            return result;
        }
        catch (TimeoutException)
        {
            return MappingAnswer.Silent("The router did not answer in time.");
        }
    }

    /// <inheritdoc/>
    public async Task UnmapAsync(MappingRequest request, CancellationToken cancellationToken)
    {
        if (UpnpLibrary.Instance is not { } library
            || !_found.TryGetValue((request.Route.Gateway, request.Route.Local.Address), out var gateway))
        {
            return;
        }

        try
        {
            _ = await calls.RunAsync(_ => Unmap(library, gateway, request), Limit, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The lease will run out by itself, unless the router only knows permanent ones.
        }
    }

    internal MappingAnswer Map(UpnpLibrary library, UpnpGateway gateway, MappingRequest request, CancellationToken stop)
    {
        var answer = MappingAnswer.Refused("The router does not offer it.");
        if (request.Route.Family == AddressFamily.InterNetworkV6)
        {
            return gateway.Firewall is { } firewall ? OpenPinhole(library, firewall, request) : answer;
        }

        foreach (var service in gateway.Connections)
        {
            answer = MapPort(library, service, request, stop);
            if (answer.Error is null)
            {
                if (stop.IsCancellationRequested)
                {
                    _ = library.DeletePortMapping(service, answer.ExternalPort);
                    stop.ThrowIfCancellationRequested();
                }

                return answer;
            }
        }

        return answer;
    }

    private static MappingAnswer MapPort(UpnpLibrary library, UpnpService service, MappingRequest request, CancellationToken stop)
    {
        var client = request.Route.Local.Address.ToString();
        var lease = (uint)request.Lifetime.TotalSeconds;
        var wished = request.ExternalPort;
        var error = library.AddPortMapping(service, wished, client, request.Port, lease);

        // OnlyPermanentLeasesSupported; and routers of version 1 that refuse any lease as an invalid argument, or just fail.
        if (error is 725 or 402 or 501 && !stop.IsCancellationRequested)
        {
            var first = error;
            lease = 0;
            error = library.AddPortMapping(service, wished, client, request.Port, lease);
            error = error is 402 or 501 ? first : error;
        }

        if (error == 724 && wished != request.Port && !stop.IsCancellationRequested)
        {
            // SamePortValuesRequired.
            wished = request.Port;
            error = library.AddPortMapping(service, wished, client, request.Port, lease);
        }

        if (error == Conflict && IsOurs(library, service, wished, client, request.Port))
        {
            // Some routers do not renew, but keep what there is.
            error = 0;
        }

        // ConflictInMappingEntry, ConflictWithOtherMechanisms: the port is somebody else's.
        if (error is Conflict or 729 && service.Type.EndsWith(":2", StringComparison.Ordinal) && !stop.IsCancellationRequested)
        {
            var result = library.AddAnyPortMapping(service, wished, client, request.Port, lease, out var given);
            (error, wished) = result == 0 && given != 0 ? (0, given) : (error, wished);
        }

        for (var again = 0; again < OtherTries && error is Conflict or 729 && !stop.IsCancellationRequested; again++)
        {
            wished = Random.Shared.Next(20_000, 60_000);
            error = library.AddPortMapping(service, wished, client, request.Port, lease);
        }

        if (error != 0)
        {
            return Refusal(error);
        }

        var known = library.GetExternalAddress(service, out var text) == 0 && IPAddress.TryParse(text, out var parsed) ? parsed : null;
        return MappingAnswer.Granted(known, wished, lease == 0 ? null : TimeSpan.FromSeconds(lease), null);
    }

    private static bool IsOurs(UpnpLibrary library, UpnpService service, int externalPort, string client, int port) =>
        library.GetPortMapping(service, externalPort, out var toClient, out var toPort) == 0
        && toClient == client
        && toPort == port.ToString(CultureInfo.InvariantCulture);

    private MappingAnswer OpenPinhole(UpnpLibrary library, UpnpService firewall, MappingRequest request)
    {
        var local = request.Route.Local.Address;
        var error = library.AddPinhole(firewall, local.ToString(), request.Port, (uint)request.Lifetime.TotalSeconds, out var id);
        if (error != 0)
        {
            return Refusal(error);
        }

        _pinholes[(local, request.Port)] = id;
        return MappingAnswer.Granted(local, request.Port, request.Lifetime, null);
    }

    internal bool Unmap(UpnpLibrary library, UpnpGateway gateway, MappingRequest request)
    {
        if (request.Route.Family == AddressFamily.InterNetworkV6)
        {
            return gateway.Firewall is { } firewall
                && _pinholes.TryRemove((request.Route.Local.Address, request.Port), out var id)
                && library.DeletePinhole(firewall, id) == 0;
        }

        foreach (var service in gateway.Connections)
        {
            if (library.DeletePortMapping(service, request.ExternalPort) == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static MappingAnswer Refusal(int error) => error switch
    {
        UpnpLibrary.HttpError => MappingAnswer.Silent("The router offers it, but does not answer when asked."),
        < 0 => MappingAnswer.Silent($"The router's answer makes no sense (libminiupnpc error {error})."),
        606 => MappingAnswer.Refused("The router does not allow it to this machine."),
        Conflict or 729 => MappingAnswer.Refused("The router has given the port to another machine, and offers no other."),
        701 or 728 => MappingAnswer.Refused("The router has no room for another port now."),
        702 => MappingAnswer.Refused("The router's IPv6 firewall is off: nothing needs to be opened."),
        703 => MappingAnswer.Refused("The router's IPv6 firewall does not let itself be opened."),
        724 => MappingAnswer.Refused("The router only maps a port to the same one, and that is taken."),
        _ => MappingAnswer.Refused($"The router refused (UPnP error {error})."),
    };
}
