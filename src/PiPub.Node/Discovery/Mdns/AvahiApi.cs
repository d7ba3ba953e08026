using System.Runtime.InteropServices;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>How the avahi daemon stands towards a client. Source: avahi-client/client.h 0.8.</summary>
internal enum AvahiClientState
{
    /// <summary>The daemon claims its host name; what is published waits.</summary>
    Registering = 1,

    /// <summary>The daemon has its host name.</summary>
    Running = 2,

    /// <summary>The daemon's host name is somebody else's; it takes another one by itself.</summary>
    Collision = 3,

    /// <summary>The connection is over and has to be made anew.</summary>
    Failure = 100,

    /// <summary>D-Bus is there, the daemon is not yet.</summary>
    Connecting = 101,
}

/// <summary>How far a group of records has come. Source: avahi-common/defs.h 0.8.</summary>
internal enum AvahiEntryGroupState
{
    Uncommitted = 0,
    Registering = 1,
    Established = 2,

    /// <summary>Somebody else on the network has one of the names; all records of the group are withdrawn.</summary>
    Collision = 3,
    Failure = 4,
}

/// <summary>An IP address as avahi has it. Source: avahi-common/address.h 0.8.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct AvahiAddress
{
    /// <summary>0 IPv4, 1 IPv6.</summary>
    public int Protocol;

    /// <summary>4 or 16 bytes in network order.</summary>
    public fixed byte Bytes[16];
}

/// <summary>One string of a TXT record and the way to the next. Source: avahi-common/strlst.h 0.8.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct AvahiStringList
{
    public AvahiStringList* Next;
    public nuint Size;
    public fixed byte Text[1];
}

/// <summary>The one door to libavahi: what of the C interface is used here.</summary>
/// <remarks>
/// avahi-client and avahi-common 0.8, the distribution's libavahi-client.so.3 and libavahi-common.so.3, which speak with
/// avahi-daemon over D-Bus. Names are UTF-8 and end with a zero byte. Everything but <see cref="avahi_simple_poll_wakeup"/> is
/// called on the thread of one <see cref="AvahiLoop"/>. The libraries are loaded at the first call, which throws
/// <see cref="DllNotFoundException"/> where they are not installed.
/// </remarks>
internal static unsafe partial class AvahiApi
{
    private const string Client = "libavahi-client.so.3";
    private const string Common = "libavahi-common.so.3";

    /// <summary>All interfaces, all protocols.</summary>
    public const int Unspecified = -1;

    public const int ProtocolIpv4 = 0;
    public const int ProtocolIpv6 = 1;

    /// <summary>avahi_client_new waits for a daemon that is not there yet.</summary>
    public const int ClientNoFail = 2;

    /// <summary>An address record is made without the one that leads from the address back to the name.</summary>
    public const int PublishNoReverse = 16;

    /// <summary>What was found was published by this machine.</summary>
    public const int ResultLocal = 8;

    public const int BrowserNew = 0;
    public const int BrowserRemove = 1;
    public const int BrowserFailure = 4;

    public const int ResolverFound = 0;

    public const int ErrorCollision = -8;
    public const int ErrorDisconnected = -23;

    [LibraryImport(Common)]
    public static partial nint avahi_simple_poll_new();

    [LibraryImport(Common)]
    public static partial void avahi_simple_poll_free(nint poll);

    [LibraryImport(Common)]
    public static partial nint avahi_simple_poll_get(nint poll);

    [LibraryImport(Common)]
    public static partial int avahi_simple_poll_prepare(nint poll, int timeout);

    [LibraryImport(Common)]
    public static partial int avahi_simple_poll_run(nint poll);

    [LibraryImport(Common)]
    public static partial int avahi_simple_poll_dispatch(nint poll);

    [LibraryImport(Common)]
    public static partial void avahi_simple_poll_wakeup(nint poll);

    [LibraryImport(Common)]
    public static partial AvahiStringList* avahi_string_list_add_arbitrary(AvahiStringList* list, byte* text, nuint size);

    [LibraryImport(Common)]
    public static partial void avahi_string_list_free(AvahiStringList* list);

    [LibraryImport(Common, StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* avahi_alternative_host_name(string name);

    [LibraryImport(Common, StringMarshalling = StringMarshalling.Utf8)]
    public static partial byte* avahi_alternative_service_name(string name);

    [LibraryImport(Common)]
    public static partial void avahi_free(void* memory);

    [LibraryImport(Common)]
    public static partial byte* avahi_strerror(int error);

    [LibraryImport(Client)]
    public static partial nint avahi_client_new(nint pollApi, int flags, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback, nint userData, int* error);

    [LibraryImport(Client)]
    public static partial void avahi_client_free(nint client);

    [LibraryImport(Client)]
    public static partial int avahi_client_errno(nint client);

    [LibraryImport(Client)]
    public static partial byte* avahi_client_get_host_name(nint client);

    [LibraryImport(Client)]
    public static partial byte* avahi_client_get_domain_name(nint client);

    [LibraryImport(Client)]
    public static partial nint avahi_entry_group_new(nint client, delegate* unmanaged[Cdecl]<nint, int, nint, void> callback, nint userData);

    [LibraryImport(Client)]
    public static partial int avahi_entry_group_free(nint group);

    [LibraryImport(Client)]
    public static partial int avahi_entry_group_commit(nint group);

    [LibraryImport(Client, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int avahi_entry_group_add_address(nint group, int @interface, int protocol, int flags, string name, AvahiAddress* address);

    [LibraryImport(Client, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int avahi_entry_group_add_service_strlst(
        nint group, int @interface, int protocol, int flags, string name, string type, string? domain, string? host, ushort port, AvahiStringList* txt);

    [LibraryImport(Client, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint avahi_service_browser_new(
        nint client, int @interface, int protocol, string type, string? domain, int flags, delegate* unmanaged[Cdecl]<nint, int, int, int, byte*, byte*, byte*, int, nint, void> callback, nint userData);

    [LibraryImport(Client)]
    public static partial int avahi_service_browser_free(nint browser);

    [LibraryImport(Client, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint avahi_service_resolver_new(
        nint client,
        int @interface,
        int protocol,
        string name,
        string type,
        string domain,
        int addressProtocol,
        int flags,
        delegate* unmanaged[Cdecl]<nint, int, int, int, byte*, byte*, byte*, byte*, AvahiAddress*, ushort, AvahiStringList*, int, nint, void> callback,
        nint userData);

    [LibraryImport(Client)]
    public static partial int avahi_service_resolver_free(nint resolver);

    /// <summary>Whether the distribution's libraries are here.</summary>
    public static bool IsInstalled => NativeLibrary.TryLoad(Common, out _) && NativeLibrary.TryLoad(Client, out _);

    /// <summary>Reads a string that belongs to the library; bytes that are not UTF-8 become replacement characters.</summary>
    public static string? Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8);

    /// <summary>Reads a string that was made for the caller, and frees it.</summary>
    public static string? TakeText(byte* utf8)
    {
        var text = Text(utf8);
        if (utf8 is not null)
        {
            avahi_free(utf8);
        }

        return text;
    }

    /// <summary>An error in the library's words.</summary>
    public static string Words(int error) => Text(avahi_strerror(error)) ?? "unknown error";
}
