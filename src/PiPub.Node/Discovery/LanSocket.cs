using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Discovery;

/// <summary>
/// A UDP socket of one address family on a port that other programs may share. Packets are received without allocating, and
/// with the interface on which they arrived.
/// </summary>
/// <remarks>
/// .NET tells the interface (Socket.ReceiveMessageFrom) only in objects made anew for each packet, and its asynchronous sockets are
/// woken by each packet even while nobody waits: a flood of 10,000 a second took a third of a core. So recvmsg(2) takes packets, and
/// poll(2) waits for them. Sources: ip(7) IP_PKTINFO, IP_UNICAST_IF; ipv6(7); RFC 3542.
/// </remarks>
internal sealed partial class LanSocket : IDisposable
{
    // The kernel counts about 1 KiB for each small packet: room for a hundred or two, what is more is dropped unseen.
    private const int KernelBuffer = 128 * 1024;

    private const int SolSocket = 1;
    private const int SoReuseAddress = 2;
    private const int ProtocolIp = 0;
    private const int IpPacketInfo = 8;
    private const int IpUnicastInterface = 50;
    private const int ProtocolIpv6 = 41;
    private const int Ipv6PacketInfo = 50;
    private const int DontWait = 0x40;
    private const short PollIn = 1;
    private const int Truncated = 0x20;

    private readonly Socket _socket;

    // Pinned for recvmsg: one byte more than is read, then the sender, then the control messages.
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(LanAnnouncement.MaxPacketLength + 8, pinned: true);
    private readonly byte[] _name = GC.AllocateArray<byte>(32, pinned: true);
    private readonly byte[] _control = GC.AllocateArray<byte>(128, pinned: true);
    private int _sendsOn;

    private LanSocket(Socket socket, LanMeans means, int port) => (_socket, Means, Port) = (socket, means, port);

    /// <summary>What kind of packets come here.</summary>
    public LanMeans Means { get; }

    /// <summary>The port that packets are sent to, and come to.</summary>
    public int Port { get; }

    /// <summary>False when the port could not be had: then it only sends, from another.</summary>
    public bool IsListening { get; private init; }

    /// <summary>Whether it is for IPv6.</summary>
    public bool IsIpv6 => _socket.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Opens a socket.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="means">Plain or encrypted.</param>
    /// <param name="port">The port; 0 for any.</param>
    /// <param name="error">Why the port could not be had; null when it was.</param>
    /// <returns>Null when the machine has no such address family, or no socket at all.</returns>
    public static LanSocket? Open(AddressFamily family, LanMeans means, int port, out SocketException? error)
    {
        Socket? socket = null;
        error = null;
        try
        {
            socket = Create(family);
            socket.Bind(Any(family, port));
            return new LanSocket(socket, means, port == 0 ? ((IPEndPoint)socket.LocalEndPoint!).Port : port) { IsListening = true };
        }
        catch (SocketException e)
        {
            socket?.Dispose();
            error = e;
        }

        try
        {
            socket = Create(family);
            socket.Bind(Any(family, 0));
            return new LanSocket(socket, means, port);
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return null;
        }
    }

    /// <summary>Waits until one of the sockets has a packet, or is woken by <see cref="Wake"/>. Then tells which, as bits in their order.</summary>
    public static unsafe uint Wait(ReadOnlySpan<LanSocket> sockets, TimeSpan limit)
    {
        var polled = stackalloc PollEntry[sockets.Length];
        for (var i = 0; i < sockets.Length; i++)
        {
            polled[i] = new PollEntry { Descriptor = (int)sockets[i]._socket.SafeHandle.DangerousGetHandle(), Events = PollIn };
        }

        var ready = 0u;
        if (poll(polled, (nuint)sockets.Length, (int)limit.TotalMilliseconds) > 0)
        {
            for (var i = 0; i < sockets.Length; i++)
            {
                ready |= polled[i].Returned != 0 ? 1u << i : 0;
            }
        }

        return ready;
    }

    /// <summary>Ends waiting, for good.</summary>
    public void Wake()
    {
        try
        {
            // A socket that is not connected cannot be shut down, but whoever polls it is woken: Linux, inet_shutdown.
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // As said.
        }
    }

    /// <summary>Takes the next packet, if there is one.</summary>
    /// <param name="packet">The packet, valid until the next call; one byte longer than the limit when it was cut off there.</param>
    /// <param name="source">Whence it came; the interface is 0 when the kernel did not say.</param>
    public unsafe bool TryReceive(out ReadOnlySpan<byte> packet, out LanSource source)
    {
        packet = default;
        source = default;
        fixed (byte* buffer = _buffer, name = _name, control = _control)
        {
            var vector = new IoVector { Base = buffer, Length = LanAnnouncement.MaxPacketLength + 1 };
            var message = new MessageHeader
            {
                Name = name,
                NameLength = (uint)_name.Length,
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)_control.Length,
            };
            var length = recvmsg(_socket.SafeHandle, &message, DontWait);
            if (length < 0)
            {
                return false;
            }

            var isWhole = (message.Flags & Truncated) == 0;
            packet = _buffer.AsSpan(0, isWhole ? (int)length : LanAnnouncement.MaxPacketLength + 1);
            source = new LanSource(ReadAddress(), ReadInterface((int)Math.Min(message.ControlLength, (nuint)_control.Length)));
            return true;
        }
    }

    /// <summary>Sends a packet out of one interface.</summary>
    /// <exception cref="SocketException">It could not be sent.</exception>
    public void Send(ReadOnlySpan<byte> packet, int interfaceIndex, SocketAddress destination)
    {
        if (!IsIpv6 && _sendsOn != interfaceIndex)
        {
            // Or the routing table would choose, and two interfaces on one subnet would both send out of the first.
            Span<byte> index = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(index, interfaceIndex);
            _socket.SetRawSocketOption(ProtocolIp, IpUnicastInterface, index);
            _sendsOn = interfaceIndex;
        }

        _ = _socket.SendTo(packet, SocketFlags.None, destination);
    }

    public void Dispose() => _socket.Dispose();

    private static Socket Create(AddressFamily family)
    {
        var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // .NET's own option sets SO_REUSEPORT too, which only shares with programs that do the same.
            socket.SetRawSocketOption(SolSocket, SoReuseAddress, BitConverter.GetBytes(1));
            socket.ReceiveBufferSize = KernelBuffer;
            socket.Blocking = false;
            if (family == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = false;

                // The box need not hear itself; IPv4 broadcasts come back anyhow.
                socket.MulticastLoopback = false;
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.PacketInformation, true);
            }
            else
            {
                socket.EnableBroadcast = true;
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.PacketInformation, true);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static IPEndPoint Any(AddressFamily family, int port) => new(family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, port);

    /// <summary>sockaddr_in: family 2, port 2, address 4. sockaddr_in6: family 2, port 2, flow 4, address 16, scope 4.</summary>
    private UInt128 ReadAddress() => IsIpv6
        ? BinaryPrimitives.ReadUInt128BigEndian(_name.AsSpan(8, 16))
        : new UInt128(0, 0xFFFF_0000_0000UL | BinaryPrimitives.ReadUInt32BigEndian(_name.AsSpan(4, 4)));

    /// <summary>
    /// Finds the packet information among the control messages: each has its length (a size_t, head included), level and type
    /// (4 bytes each), then data. in_pktinfo begins with the interface; in6_pktinfo has it behind 16 bytes of address.
    /// </summary>
    private int ReadInterface(int length)
    {
        var head = UIntPtr.Size + 8;
        for (var at = 0; at + head <= length;)
        {
            var size = (int)MemoryMarshal.Read<nuint>(_control.AsSpan(at));
            var level = MemoryMarshal.Read<int>(_control.AsSpan(at + UIntPtr.Size));
            var type = MemoryMarshal.Read<int>(_control.AsSpan(at + UIntPtr.Size + 4));
            var offset = (level, type) switch
            {
                (ProtocolIp, IpPacketInfo) => 0,
                (ProtocolIpv6, Ipv6PacketInfo) => 16,
                _ => -1,
            };
            if (size < head || at + size > length)
            {
                return 0;
            }

            if (offset >= 0 && size >= head + offset + 4)
            {
                return MemoryMarshal.Read<int>(_control.AsSpan(at + head + offset));
            }

            at += (size + UIntPtr.Size - 1) & ~(UIntPtr.Size - 1);
        }

        return 0;
    }

    [LibraryImport("libc")]
    private static unsafe partial int poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc")]
    private static unsafe partial nint recvmsg(SafeHandle socket, MessageHeader* message, int flags);

    /// <summary>struct pollfd.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    /// <summary>struct iovec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    /// <summary>struct msghdr, as Linux has it on 32 and 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct MessageHeader
    {
        public byte* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public byte* Control;
        public nuint ControlLength;
        public int Flags;
    }
}
