using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>The one door to the distribution's libnatpmp.</summary>
/// <remarks>
/// libnatpmp.so.1, natpmp.h. natpmp_t is 48 bytes on 64-bit machines and begins with its socket (int); natpmpresp_t is 16 bytes: type 2,
/// result 2, epoch 4, then either an IPv4 address 4, or private port 2, public port 2, lifetime 4, all in the machine's byte order but the
/// address. Sockets are non-blocking; an answer is only taken from the gateway's address, and read into 16 bytes.
/// </remarks>
internal static unsafe partial class NatPmpLibrary
{
    /// <summary>Type of the answer about the external address.</summary>
    public const ushort PublicAddress = 0;

    /// <summary>Type of the answer about a TCP mapping; also the protocol's number in a request.</summary>
    public const ushort Tcp = 2;

    /// <summary>The results of natpmp.h that are told apart.</summary>
    public const int NoGatewaySupport = -7;
    public const int WrongPacketSource = -9;
    public const int UnsupportedVersion = -14;
    public const int UnsupportedOpcode = -15;
    public const int NotAuthorized = -51;
    public const int NetworkFailure = -52;
    public const int OutOfResources = -53;
    public const int TryAgain = -100;

    private const string Library = "libnatpmp.so.1";
    private const short PollIn = 1;

    /// <summary>Whether the library is there.</summary>
    public static bool IsThere { get; } = NativeLibrary.TryLoad(Library, typeof(NatPmpLibrary).Assembly, null, out _);

    /// <summary>libnatpmp's state. Its 48 bytes, and room for a later version's.</summary>
    [InlineArray(32)]
    public struct State
    {
        private ulong _first;
    }

    /// <summary>An answer.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    public struct Response
    {
        [FieldOffset(0)]
        public ushort Type;

        [FieldOffset(4)]
        public uint Epoch;

        /// <summary>In network byte order.</summary>
        [FieldOffset(8)]
        public uint Address;

        [FieldOffset(8)]
        public ushort PrivatePort;

        [FieldOffset(10)]
        public ushort PublicPort;

        [FieldOffset(12)]
        public uint Lifetime;
    }

    /// <summary>Opens a socket to a gateway, whose address is in network byte order; negative when it fails.</summary>
    public static int Open(ref State state, uint gateway) => initnatpmp(ref state, 1, gateway);

    /// <summary>Closes the socket.</summary>
    public static void Close(ref State state) => _ = closenatpmp(ref state);

    /// <summary>Asks for the external address; negative when it fails.</summary>
    public static int AskAddress(ref State state) => sendpublicaddressrequest(ref state);

    /// <summary>Asks for a mapping of TCP; lifetime 0 removes it. Negative when it fails.</summary>
    public static int AskMapping(ref State state, ushort privatePort, ushort publicPort, uint lifetime) =>
        sendnewportmappingrequest(ref state, Tcp, privatePort, publicPort, lifetime);

    /// <summary>Reads the answer, or repeats the request when it is time to (after 250 ms, then twice that, and so on): 0, <see cref="TryAgain"/> or an error.</summary>
    public static int Read(ref State state, out Response response)
    {
        response = default;
        return readnatpmpresponseorretry(ref state, ref response);
    }

    /// <summary>Waits until something has arrived, for some milliseconds at most.</summary>
    public static void Wait(ref State state, int milliseconds)
    {
        var descriptor = new PollDescriptor { Socket = Unsafe.As<State, int>(ref state), Events = PollIn };
        _ = poll(&descriptor, 1, milliseconds);
    }

    [LibraryImport(Library)]
    private static partial int initnatpmp(ref State p, int forcegw, uint forcedgw);

    [LibraryImport(Library)]
    private static partial int closenatpmp(ref State p);

    [LibraryImport(Library)]
    private static partial int sendpublicaddressrequest(ref State p);

    [LibraryImport(Library)]
    private static partial int sendnewportmappingrequest(ref State p, int protocol, ushort privateport, ushort publicport, uint lifetime);

    [LibraryImport(Library)]
    private static partial int readnatpmpresponseorretry(ref State p, ref Response response);

    [LibraryImport("libc")]
    private static partial int poll(PollDescriptor* descriptors, nuint count, int timeout);

    private struct PollDescriptor
    {
        public int Socket;
        public short Events;
        public short Returned;
    }
}
