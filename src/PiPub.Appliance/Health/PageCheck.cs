using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PiPub.Appliance.Health;

/// <summary>Whether the box's page answers: a page that strangers may see is fetched over the loopback and must be whole.</summary>
public static class PageCheck
{
    private const string Path = "/join";
    private const int MaxBytes = 256 * 1024;

    /// <summary>Fetches it.</summary>
    /// <param name="address">Where the page is listened for.</param>
    /// <param name="port">The port of HTTP.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was seen, in words.</returns>
    /// <exception cref="IOException">It does not answer, or with something else.</exception>
    public static async Task<string> FetchAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var where = new IPEndPoint(address, port);
        string answer;
        try
        {
            using var socket = new Socket(where.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(where, cancellationToken);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {Path} HTTP/1.1\r\nHost: {where}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"), cancellationToken);
            answer = await ReadAsync(socket, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new IOException($"The page does not answer at {where}: {e.Message}", e);
        }

        if (!answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) || !answer.Contains("</html>", StringComparison.OrdinalIgnoreCase))
        {
            throw new IOException($"The page at {where} answers with \"{answer.Split('\r')[0]}\" instead of a page.");
        }

        return $"The page answers at {where}.";
    }

    private static async Task<string> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var bytes = new byte[4096];
        var length = 0;
        while (await socket.ReceiveAsync(bytes.AsMemory(length), cancellationToken) is > 0 and var read)
        {
            length += read;
            if (length == bytes.Length)
            {
                if (length >= MaxBytes)
                {
                    throw new IOException($"The page is larger than {MaxBytes} bytes.");
                }

                Array.Resize(ref bytes, length * 2);
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
