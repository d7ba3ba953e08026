using System.Net;
using System.Net.Sockets;

namespace PiPub.Interop;

/// <summary>
/// Ports for servers that are stopped and started again in their place. They lie below those that the system gives to outgoing
/// connections: else one of these, a client's that tries to come back for example, may sit on the port when its server returns.
/// </summary>
internal static class TestPort
{
    private const int First = 10_000;
    private const int Count = 20_000;

    private static int given = Random.Shared.Next(Count);

    /// <summary>A port that nobody listens on now, and that this process was not given before.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref given) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's: the next one.
            }
        }
    }
}
