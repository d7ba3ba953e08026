using System.Net;
using System.Text;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>The words with which UPnP devices are sought on the local network.</summary>
/// <remarks>
/// Simple Service Discovery Protocol: HTTP headers in UDP datagrams, port 1900, to 239.255.255.250 or ff02::c; answers come from the
/// device to the port that was asked from. References: UPnP Device Architecture 1.1 sections 1.3.2 (M-SEARCH) and 1.3.3 (response).
/// Datagrams of more than 2,048 bytes are not read.
/// </remarks>
internal static class SsdpMessage
{
    /// <summary>Where devices listen.</summary>
    public const int Port = 1900;

    /// <summary>The longest answer that is read, in bytes.</summary>
    public const int MaxBytes = 2048;

    /// <summary>Gateways, either version: a device of version 2 answers to both.</summary>
    public static readonly string[] GatewayTypes =
    [
        "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
        "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
    ];

    private static readonly IPAddress GroupV4 = IPAddress.Parse("239.255.255.250");

    /// <summary>The group that devices listen to.</summary>
    public static IPAddress Group(GatewayRoute route) =>
        route.Family == System.Net.Sockets.AddressFamily.InterNetwork
            ? GroupV4
            : new IPAddress([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c], route.InterfaceIndex);

    /// <summary>The question for one type of device.</summary>
    public static byte[] Search(string type, bool isIPv6) => Encoding.ASCII.GetBytes(
        $"M-SEARCH * HTTP/1.1\r\nHOST: {(isIPv6 ? "[FF02::C]" : "239.255.255.250")}:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: {type}\r\n\r\n");

    /// <summary>Where a gateway's description lies, as an answer says; null when these bytes are no such answer.</summary>
    public static Uri? ReadLocation(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > MaxBytes || !datagram.StartsWith("HTTP/1."u8))
        {
            return null;
        }

        Uri? location = null;
        var isGateway = false;
        var text = Encoding.Latin1.GetString(datagram);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon <= 0)
            {
                continue;
            }

            var value = line[(colon + 1)..].Trim();
            if (line[..colon].Equals("location", StringComparison.OrdinalIgnoreCase))
            {
                _ = Uri.TryCreate(value.ToString(), UriKind.Absolute, out location);
            }
            else if (line[..colon].Equals("st", StringComparison.OrdinalIgnoreCase))
            {
                isGateway = value.StartsWith("urn:schemas-upnp-org:device:InternetGatewayDevice:", StringComparison.OrdinalIgnoreCase);
            }
        }

        return isGateway && location?.Scheme == Uri.UriSchemeHttp && location.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? location : null;
    }
}
