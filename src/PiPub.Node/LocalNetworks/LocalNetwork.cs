using System.Net;
using System.Net.Sockets;

namespace PiPub.Node.LocalNetworks;

/// <summary>An address of this machine, and how large the subnet is that it lies in.</summary>
/// <param name="Address">IPv4 or IPv6; a link-local IPv6 one carries the index of its interface as scope id.</param>
/// <param name="PrefixLength">Bits that all addresses of the subnet share: 0 to 32 or 128.</param>
/// <param name="IsTemporary">True for an IPv6 address that will be gone soon: made for privacy (RFC 8981), or deprecated (RFC 4862).</param>
public sealed record LocalAddress(IPAddress Address, int PrefixLength, bool IsTemporary = false)
{
    /// <summary>The subnet's broadcast address; null for IPv6, and where a subnet has no room for one (/31 and /32). Source: RFC 919, 922, 3021.</summary>
    public IPAddress? Broadcast
    {
        get
        {
            if (Address.AddressFamily != AddressFamily.InterNetwork || PrefixLength > 30)
            {
                return null;
            }

            Span<byte> bytes = stackalloc byte[4];
            _ = Address.TryWriteBytes(bytes, out _);
            for (var bit = PrefixLength; bit < 32; bit++)
            {
                bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
            }

            return new IPAddress(bytes);
        }
    }

    /// <summary>Whether another address lies in the same subnet.</summary>
    public bool IsNeighbour(IPAddress other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.AddressFamily == Address.AddressFamily && new IPNetwork(Masked(), PrefixLength).Contains(other);
    }

    private IPAddress Masked()
    {
        var bytes = Address.GetAddressBytes();
        for (var bit = PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPAddress(bytes);
    }
}

/// <summary>A network interface of this machine that is up and is not loopback.</summary>
/// <param name="Index">The kernel's number of it.</param>
/// <param name="Name">The kernel's name of it, such as eth0.</param>
/// <param name="Addresses">Its addresses, IPv4 first. May be empty.</param>
/// <param name="Gateways">The routers that its default routes lead to.</param>
public sealed record LocalNetwork(int Index, string Name, IReadOnlyList<LocalAddress> Addresses, IReadOnlyList<IPAddress> Gateways);
