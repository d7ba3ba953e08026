using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>
/// Seeks the router's UPnP description. libminiupnpc could do this as well, but it would fetch a description from wherever any
/// machine on the network says, for as long as answers come: here the router itself has to be the one who answers.
/// </summary>
internal static class SsdpSearch
{
    private const int MaxDatagrams = 64;
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(0.8);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1.7);

    /// <summary>The address of the description; null when no gateway answers within 2.5 seconds. Never throws but for cancelling.</summary>
    public static async Task<Uri?> FindAsync(GatewayRoute route, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(route.Family, SocketType.Dgram, ProtocolType.Udp);
            var isIPv6 = route.Family == AddressFamily.InterNetworkV6;
            socket.Bind(new IPEndPoint(route.Local.Address, 0));
            socket.SetSocketOption(
                isIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP,
                SocketOptionName.MulticastInterface,
                isIPv6 ? route.InterfaceIndex : IPAddress.HostToNetworkOrder(route.InterfaceIndex));

            var group = new IPEndPoint(SsdpMessage.Group(route), SsdpMessage.Port);
            var buffer = new byte[SsdpMessage.MaxBytes + 1];
            var received = 0;
            foreach (var pause in (TimeSpan[])[Again, Patience])
            {
                foreach (var type in SsdpMessage.GatewayTypes)
                {
                    _ = await socket.SendToAsync(SsdpMessage.Search(type, isIPv6), group, cancellationToken);
                }

                using var patience = new CancellationTokenSource(pause, time);
                using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
                try
                {
                    while (received < MaxDatagrams)
                    {
                        var answer = await socket.ReceiveFromAsync(buffer, group, waiting.Token);
                        received++;
                        if (SsdpMessage.ReadLocation(buffer.AsSpan(0, answer.ReceivedBytes)) is { } location
                            && IsOfGateway(location, ((IPEndPoint)answer.RemoteEndPoint).Address, route))
                        {
                            return location;
                        }
                    }
                }
                catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
                {
                    // Once more.
                }
            }
        }
        catch (SocketException)
        {
            // No way there now.
        }

        return null;
    }

    /// <summary>
    /// Whether a description lies on the router. For IPv4 that is the default gateway itself. For IPv6 the gateway is known by its
    /// link-local address only, under which no pinhole for a global address can be asked for: a neighbour that answers for itself must do.
    /// </summary>
    internal static bool IsOfGateway(Uri location, IPAddress sender, GatewayRoute route)
    {
        if (!IPAddress.TryParse(location.IdnHost, out var host) || host.AddressFamily != route.Family)
        {
            return false;
        }

        return route.Family == AddressFamily.InterNetwork
            ? host.Equals(route.Gateway) && sender.Equals(route.Gateway)
            : !host.IsIPv6LinkLocal && route.Local.IsNeighbour(host) && (sender.Equals(host) || sender.Equals(route.Gateway));
    }
}
