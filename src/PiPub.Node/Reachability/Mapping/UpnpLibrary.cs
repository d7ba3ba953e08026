using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>One service of a UPnP device.</summary>
/// <param name="ControlUrl">Where its actions are called.</param>
/// <param name="Type">Its type and version.</param>
internal sealed record UpnpService(string ControlUrl, string Type);

/// <summary>A router as it describes itself.</summary>
/// <param name="Connections">What maps ports: WANIPConnection or WANPPPConnection, the likelier first.</param>
/// <param name="Firewall">What opens pinholes for IPv6: WANIPv6FirewallControl; null when it has none.</param>
internal sealed record UpnpGateway(IReadOnlyList<UpnpService> Connections, UpnpService? Firewall);

/// <summary>The one door to the distribution's libminiupnpc. All calls block.</summary>
/// <remarks>
/// libminiupnpc.so.17 (2.2.4, Debian 12) or .so.18 (2.2.8, Debian 13): miniupnpc.h, upnpcommands.h, igd_desc_parse.h. What is called here is
/// the same in both; UPNP_GetValidIGD, which is not, is not called. struct UPNPUrls is five pointers: control, description, common
/// interface, IPv6 firewall, root. struct IGDdatas (2,948 bytes) is three texts of 128 bytes, an int, then five services of four
/// texts of 128 bytes (control, events, scpd, type): common interface, first, second, IPv6 firewall, and one for its own use.
/// What the library bounds when it talks HTTP: connecting and each wait for bytes (3 and 5 s), texts of a description (128 bytes), fields of
/// an answer (64 bytes). It bounds neither the size of a response nor the time of a whole one, which is why only the router itself is
/// asked (<see cref="SsdpSearch"/>), and why nobody waits for this thread for long (<see cref="BlockingCalls"/>).
/// </remarks>
internal sealed unsafe class UpnpLibrary
{
    /// <summary>What the library itself says went wrong; positive results are UPnP's error codes.</summary>
    public const int HttpError = -3;

    private const int TextBytes = 128;
    private const int ServiceBytes = 4 * TextBytes;
    private const int FirstService = (3 * TextBytes) + sizeof(int) + ServiceBytes;
    private const int SecondService = FirstService + ServiceBytes;
    private const int FirewallService = SecondService + ServiceBytes;
    private const int TypeInService = 3 * TextBytes;
    private const int DataBytes = 8192;

    private readonly delegate* unmanaged<byte*, Urls*, byte*, byte*, int, int> _getIgdFromUrl;
    private readonly delegate* unmanaged<Urls*, byte*, byte*, uint, void> _getUrls;
    private readonly delegate* unmanaged<Urls*, void> _freeUrls;
    private readonly delegate* unmanaged<byte*, byte*, byte*, int> _getExternalAddress;
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int> _addPortMapping;
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int> _addAnyPortMapping;
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int> _deletePortMapping;
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int> _getSpecificPortMapping;
    private readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int> _addPinhole;
    private readonly delegate* unmanaged<byte*, byte*, byte*, int> _deletePinhole;

    private UpnpLibrary(nint library)
    {
        _getIgdFromUrl = (delegate* unmanaged<byte*, Urls*, byte*, byte*, int, int>)NativeLibrary.GetExport(library, "UPNP_GetIGDFromUrl");
        _getUrls = (delegate* unmanaged<Urls*, byte*, byte*, uint, void>)NativeLibrary.GetExport(library, "GetUPNPUrls");
        _freeUrls = (delegate* unmanaged<Urls*, void>)NativeLibrary.GetExport(library, "FreeUPNPUrls");
        _getExternalAddress = (delegate* unmanaged<byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_GetExternalIPAddress");
        _addPortMapping = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_AddPortMapping");
        _addAnyPortMapping = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_AddAnyPortMapping");
        _deletePortMapping = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_DeletePortMapping");
        _getSpecificPortMapping = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_GetSpecificPortMappingEntry");
        _addPinhole = (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_AddPinhole");
        _deletePinhole = (delegate* unmanaged<byte*, byte*, byte*, int>)NativeLibrary.GetExport(library, "UPNP_DeletePinhole");
    }

    /// <summary>The library; null where it is missing.</summary>
    public static UpnpLibrary? Instance { get; } = Load();

    /// <summary>Fetches and reads a description; null when there is none, or nothing in it that is of use.</summary>
    public UpnpGateway? Describe(Uri description)
    {
        var data = new byte[DataBytes];
        var urls = default(Urls);
        fixed (byte* url = Text(description.AbsoluteUri), read = data, local = new byte[64])
        {
            if (_getIgdFromUrl(url, &urls, read, local, 64) != 1)
            {
                return null;
            }

            var connections = new List<UpnpService>(2);
            Add(connections, urls.Control, read + FirstService + TypeInService, description);
            var firewall = new List<UpnpService>(1);
            Add(firewall, urls.Firewall, read + FirewallService + TypeInService, description);
            if (read[SecondService + TypeInService] != 0)
            {
                // Many routers describe a connection with PPP and one without, of which one is in use.
                _freeUrls(&urls);
                Buffer.MemoryCopy(read + SecondService, read + FirstService, ServiceBytes, ServiceBytes);
                _getUrls(&urls, read, url, 0);
                Add(connections, urls.Control, read + FirstService + TypeInService, description);
            }

            _freeUrls(&urls);
            return connections.Count + firewall.Count == 0 ? null : new UpnpGateway(connections, firewall.FirstOrDefault());
        }
    }

    /// <summary>The router's outer IPv4 address, as it says it. 0 or an error.</summary>
    public int GetExternalAddress(UpnpService service, out string address)
    {
        Span<byte> buffer = stackalloc byte[64];
        buffer.Clear();
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), result = buffer)
        {
            var error = _getExternalAddress(url, type, result);
            address = Read(buffer);
            return error;
        }
    }

    /// <summary>Maps a TCP port; lease 0 is for ever. 0 or an error.</summary>
    public int AddPortMapping(UpnpService service, int externalPort, string client, int port, uint lease)
    {
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), outer = Text(externalPort), inner = Text(port), host = Text(client),
            about = Text("PiPub"), tcp = Text("TCP"), seconds = Text(lease))
        {
            return _addPortMapping(url, type, outer, inner, host, about, tcp, null, seconds);
        }
    }

    /// <summary>Maps a TCP port to whatever port is free out there. 0 or an error.</summary>
    public int AddAnyPortMapping(UpnpService service, int wishedPort, string client, int port, uint lease, out int externalPort)
    {
        Span<byte> buffer = stackalloc byte[64];
        buffer.Clear();
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), outer = Text(wishedPort), inner = Text(port), host = Text(client),
            about = Text("PiPub"), tcp = Text("TCP"), seconds = Text(lease), reserved = buffer)
        {
            var error = _addAnyPortMapping(url, type, outer, inner, host, about, tcp, null, seconds, reserved);
            externalPort = ushort.TryParse(Read(buffer), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 0;
            return error;
        }
    }

    /// <summary>Takes a mapping of a TCP port back. 0 or an error.</summary>
    public int DeletePortMapping(UpnpService service, int externalPort)
    {
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), outer = Text(externalPort), tcp = Text("TCP"))
        {
            return _deletePortMapping(url, type, outer, tcp, null);
        }
    }

    /// <summary>Where a TCP port out there leads to now. 0 or an error.</summary>
    public int GetPortMapping(UpnpService service, int externalPort, out string client, out string port)
    {
        Span<byte> hosts = stackalloc byte[128], ports = stackalloc byte[128], rest = stackalloc byte[128 * 3];
        hosts.Clear();
        ports.Clear();
        rest.Clear();
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), outer = Text(externalPort), tcp = Text("TCP"), host = hosts, inner = ports, more = rest)
        {
            var error = _getSpecificPortMapping(url, type, outer, tcp, null, host, inner, more, more + 128, more + 256);
            (client, port) = (Read(hosts), Read(ports));
            return error;
        }
    }

    /// <summary>Opens the firewall for a TCP port of an IPv6 address, or lengthens that. 0 or an error.</summary>
    public int AddPinhole(UpnpService service, string client, int port, uint lease, out string id)
    {
        Span<byte> buffer = stackalloc byte[64];
        buffer.Clear();
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), anybody = Text("empty"), any = Text(0), host = Text(client), inner = Text(port),
            tcp = Text(6), seconds = Text(lease), result = buffer)
        {
            var error = _addPinhole(url, type, anybody, any, host, inner, tcp, seconds, result);
            id = Read(buffer);
            return error;
        }
    }

    /// <summary>Closes the firewall again. 0 or an error.</summary>
    public int DeletePinhole(UpnpService service, string id)
    {
        fixed (byte* url = Text(service.ControlUrl), type = Text(service.Type), which = Text(id))
        {
            return _deletePinhole(url, type, which);
        }
    }

    private static UpnpLibrary? Load()
    {
        foreach (var name in (string[])["libminiupnpc.so.18", "libminiupnpc.so.17"])
        {
            if (NativeLibrary.TryLoad(name, typeof(UpnpLibrary).Assembly, null, out var library))
            {
                try
                {
                    return new UpnpLibrary(library);
                }
                catch (EntryPointNotFoundException)
                {
                    NativeLibrary.Free(library);
                }
            }
        }

        return null;
    }

    /// <summary>A service counts when its actions are called on the router that describes it, and nowhere else.</summary>
    private static void Add(List<UpnpService> services, byte* url, byte* type, Uri description)
    {
        var name = Read(new ReadOnlySpan<byte>(type, TextBytes));
        if (name.Length > 0
            && Uri.TryCreate(Marshal.PtrToStringUTF8((nint)url), UriKind.Absolute, out var control)
            && control.Scheme == Uri.UriSchemeHttp
            && control.IdnHost == description.IdnHost)
        {
            services.Add(new UpnpService(control.AbsoluteUri, name));
        }
    }

    private static string Read(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? text : text[..end]);
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static byte[] Text(long number) => Text(number.ToString(CultureInfo.InvariantCulture));

    [StructLayout(LayoutKind.Sequential)]
    private struct Urls
    {
        public byte* Control;
        public byte* ConnectionDescription;
        public byte* CommonInterface;
        public byte* Firewall;
        public byte* Root;
    }
}
