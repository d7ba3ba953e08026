using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PiPub.Appliance.Network;

/// <summary>
/// Whether another machine has an address already: a datagram that nobody reads is sent there, for which the kernel asks by ARP
/// (RFC 826), and the kernel's table then tells who answered. Needs no privileges; sees only subnets that the machine is in.
/// </summary>
public sealed class AddressProbe
{
    private const int Discard = 9;
    private const int Complete = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1500);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Asks, for a second and a half at most.</summary>
    public static async Task<bool> IsInUseAsync(IPAddress address, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            await socket.SendToAsync(Array.Empty<byte>(), new IPEndPoint(address, Discard), cancellationToken);
        }
        catch (SocketException)
        {
            // No way there from here: it cannot be asked.
            return false;
        }

        for (var waited = TimeSpan.Zero; waited < Patience; waited += Pause)
        {
            if (IsAnswered(File.ReadLines("/proc/net/arp"), address))
            {
                return true;
            }

            await Task.Delay(Pause, cancellationToken);
        }

        return false;
    }

    /// <summary>Reads the table: address, hardware type, flags, hardware address, mask, device.</summary>
    internal static bool IsAnswered(IEnumerable<string> table, IPAddress address)
    {
        foreach (var line in table.Skip(1))
        {
            var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (columns.Length >= 4 && columns[0] == address.ToString()
                && columns[2].StartsWith("0x", StringComparison.Ordinal)
                && int.TryParse(columns[2].AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var flags))
            {
                return (flags & Complete) != 0;
            }
        }

        return false;
    }
}
