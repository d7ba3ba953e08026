using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>Listens for routers that say, unasked, that they began anew or have another outer address.</summary>
/// <remarks>
/// Source: RFC 6887 section 14.1.3, RFC 6886 section 3.2.1: UDP port 5350, to 224.0.0.1 and ff02::1, which every host is a member of. Only
/// what comes from port 5351 is read; it is not authentic, so that it may only ever cause a question to the router.
/// </remarks>
internal static class GatewayAnnouncements
{
    /// <summary>Listens until it is cancelled, or until it turns out that this machine's port cannot be had.</summary>
    /// <param name="heard">Told of each one and the address that it came from; must return at once.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static Task ListenAsync(Action<IPAddress, GatewayAnnouncement> heard, CancellationToken cancellationToken) =>
        // A socket for both would not be given what is sent to 224.0.0.1.
        Task.WhenAll(ListenAsync(IPAddress.Any, heard, cancellationToken), ListenAsync(IPAddress.IPv6Any, heard, cancellationToken));

    private static async Task ListenAsync(IPAddress any, Action<IPAddress, GatewayAnnouncement> heard, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new Socket(any.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(any, PcpMessage.AnnouncementPort));
            var buffer = new byte[PcpMessage.MaxBytes + 1];
            var from = new SocketAddress(socket.AddressFamily);
            var template = new IPEndPoint(any, 0);
            while (true)
            {
                var length = await socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken);
                if (PcpMessage.TryReadAnnouncement(buffer.AsSpan(0, length), out var announcement)
                    && template.Create(from) is IPEndPoint { Port: PcpMessage.ServerPort } sender)
                {
                    heard(sender.Address, announcement);
                }
            }
        }
        catch (SocketException)
        {
            // Somebody else has the port, or there is no IPv6. A restart of the router is then noticed when a mapping is renewed.
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}
