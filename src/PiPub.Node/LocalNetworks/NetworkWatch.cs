using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Node.LocalNetworks;

/// <summary>
/// Knows the machine's network interfaces, and tells when one comes, goes, or has other addresses. The kernel says when
/// to look; since it may say so before an address can be used, and as not every change is told, it is looked again now and
/// then, which is cheap.
/// </summary>
public sealed partial class NetworkWatch : IDisposable
{
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly Func<IReadOnlyList<LocalNetwork>> _read;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly Lock _looking = new();
    private string _told = "";
    private volatile IReadOnlyList<LocalNetwork> _current = [];
    private bool _isDisposed;

    /// <summary>Reads the interfaces, and watches them from now on.</summary>
    public NetworkWatch(TimeProvider time, ILogger<NetworkWatch> logger)
        : this(ReadFromSystem, time, logger)
    {
    }

    internal NetworkWatch(Func<IReadOnlyList<LocalNetwork>> read, TimeProvider time, ILogger<NetworkWatch> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_read, _logger) = (read, logger);
        Look();
        _timer = time.CreateTimer(static watch => ((NetworkWatch)watch!).Look(), this, LookAgain, LookAgain);
        NetworkChange.NetworkAddressChanged += LookSoon;
        NetworkChange.NetworkAvailabilityChanged += LookSoon;
    }

    /// <summary>Raised, on a thread of its own, when <see cref="Current"/> is another. Handlers must not take long.</summary>
    public event Action? Changed;

    /// <summary>The interfaces that are up, without loopback.</summary>
    public IReadOnlyList<LocalNetwork> Current => _current;

    /// <summary>Whether an address is one of this machine's, loopback included.</summary>
    public bool IsOwn(System.Net.IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (System.Net.IPAddress.IsLoopback(address))
        {
            return true;
        }

        foreach (var network in _current)
        {
            foreach (var own in network.Addresses)
            {
                if (own.Address.Equals(address))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether an address lies in one of this machine's subnets.</summary>
    public bool IsNeighbour(System.Net.IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in _current)
        {
            foreach (var own in network.Addresses)
            {
                if (own.IsNeighbour(address))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Whether this machine has an address from which public addresses of a family can be reached.</summary>
    public bool Reaches(AddressFamily family)
    {
        foreach (var network in _current)
        {
            foreach (var own in network.Addresses)
            {
                // IPv4 goes out through a router's translation; IPv6 needs an address of its own.
                if (own.Address.AddressFamily == family
                    && (family == AddressFamily.InterNetwork || PeerHost.ScopeOf(own.Address) == AddressScope.Public))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NetworkChange.NetworkAddressChanged -= LookSoon;
        NetworkChange.NetworkAvailabilityChanged -= LookSoon;
        lock (_looking)
        {
            _isDisposed = true;
        }

        _timer.Dispose();
    }

    /// <summary>Reads the interfaces now, and tells when they have changed.</summary>
    internal void Look()
    {
        lock (_looking)
        {
            if (_isDisposed)
            {
                return;
            }

            try
            {
                var networks = _read();
                var text = Describe(networks);
                if (text == _told)
                {
                    return;
                }

                _current = networks;
                _told = text;
            }
            catch (Exception e) when (e is NetworkInformationException or IOException or SocketException)
            {
                // An interface went away while it was read: the next look sees it.
                CannotRead(e.Message);
                return;
            }
        }

        Changed?.Invoke();
    }

    private static IReadOnlyList<LocalNetwork> ReadFromSystem()
    {
        var networks = new List<LocalNetwork>();
        var temporary = TemporaryAddresses();
        foreach (var adapter in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (adapter.NetworkInterfaceType == NetworkInterfaceType.Loopback
                || adapter.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown))
            {
                continue;
            }

            var properties = adapter.GetIPProperties();
            var addresses = properties.UnicastAddresses
                .Select(unicast => new LocalAddress(unicast.Address, unicast.PrefixLength, temporary.Contains(unicast.Address)))
                .OrderBy(static local => local.Address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
                .ThenBy(static local => local.Address.IsIPv6LinkLocal)
                .ToList();
            networks.Add(new LocalNetwork(IndexOf(adapter, properties), adapter.Name, addresses, [.. properties.GatewayAddresses.Select(static gateway => gateway.Address)]));
        }

        return networks;
    }

    /// <summary>The IPv6 addresses that the kernel marks as temporary (0x01) or deprecated (0x20); none where it does not tell. Source: Linux, include/uapi/linux/if_addr.h.</summary>
    private static HashSet<System.Net.IPAddress> TemporaryAddresses()
    {
        const string Table = "/proc/net/if_inet6";
        const int WillBeGone = 0x01 | 0x20;
        var addresses = new HashSet<System.Net.IPAddress>();
        foreach (var line in File.Exists(Table) ? File.ReadAllLines(Table) : [])
        {
            // Address, interface, prefix length, scope, flags: all hexadecimal; then the interface's name.
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [{ Length: 32 } address, _, _, _, var flags, ..]
                && int.TryParse(flags, System.Globalization.NumberStyles.HexNumber, null, out var bits) && (bits & WillBeGone) != 0)
            {
                _ = addresses.Add(new System.Net.IPAddress(Convert.FromHexString(address)));
            }
        }

        return addresses;
    }

    private static int IndexOf(NetworkInterface adapter, IPInterfaceProperties properties) =>
        adapter.Supports(NetworkInterfaceComponent.IPv4) ? properties.GetIPv4Properties().Index
        : adapter.Supports(NetworkInterfaceComponent.IPv6) ? properties.GetIPv6Properties().Index
        : 0;

    private static string Describe(IReadOnlyList<LocalNetwork> networks) =>
        string.Join('\n', networks.Select(static network =>
            $"{network.Index} {network.Name} {string.Join(' ', network.Addresses)} via {string.Join(' ', network.Gateways)}"));

    private void LookSoon(object? sender, EventArgs e)
    {
        try
        {
            _timer.Change(Settling, LookAgain);
        }
        catch (ObjectDisposedException)
        {
            // Stopped meanwhile.
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The network interfaces could not be read just now: {Reason}")]
    private partial void CannotRead(string reason);
}
