using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>Records that are published together. They are withdrawn, with a goodbye to the network, when this ends.</summary>
internal sealed unsafe class AvahiEntryGroup : AvahiObject
{
    private readonly Action<AvahiEntryGroup, AvahiEntryGroupState> _changed;

    private AvahiEntryGroup(AvahiClient client, Action<AvahiEntryGroup, AvahiEntryGroupState> changed)
        : base(client) => _changed = changed;

    internal static AvahiEntryGroup? Create(AvahiClient client, Action<AvahiEntryGroup, AvahiEntryGroupState> changed)
    {
        var group = new AvahiEntryGroup(client, changed);
        group.Native = AvahiApi.avahi_entry_group_new(client.Native, &OnState, group.UserData);
        if (group.Native != 0)
        {
            return group;
        }

        group.Dispose();
        return null;
    }

    /// <summary>Adds the record by which a name leads to an address, on one interface.</summary>
    /// <returns>0 or an error of the library.</returns>
    public int AddAddress(int interfaceIndex, string name, IPAddress address)
    {
        var native = default(AvahiAddress);
        native.Protocol = address.AddressFamily == AddressFamily.InterNetwork ? AvahiApi.ProtocolIpv4 : AvahiApi.ProtocolIpv6;
        _ = address.TryWriteBytes(new Span<byte>(native.Bytes, 16), out _);
        return AvahiApi.avahi_entry_group_add_address(Native, interfaceIndex, AvahiApi.Unspecified, AvahiApi.PublishNoReverse, name, &native);
    }

    /// <summary>Adds a service on all interfaces.</summary>
    /// <returns>0 or an error of the library.</returns>
    public int AddService(string name, string type, string host, int port, IReadOnlyList<byte[]> txt)
    {
        AvahiStringList* list = null;
        try
        {
            // The library puts each string in front of those before.
            for (var i = txt.Count - 1; i >= 0; i--)
            {
                fixed (byte* text = txt[i])
                {
                    list = AvahiApi.avahi_string_list_add_arbitrary(list, text, (nuint)txt[i].Length);
                }
            }

            return AvahiApi.avahi_entry_group_add_service_strlst(
                Native, AvahiApi.Unspecified, AvahiApi.Unspecified, 0, name, type, null, host, (ushort)port, list);
        }
        finally
        {
            AvahiApi.avahi_string_list_free(list);
        }
    }

    /// <summary>Publishes what was added.</summary>
    /// <returns>0 or an error of the library.</returns>
    public int Commit() => AvahiApi.avahi_entry_group_commit(Native);

    protected override void Free(nint native) => _ = AvahiApi.avahi_entry_group_free(native);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnState(nint native, int state, nint userData)
    {
        var group = From<AvahiEntryGroup>(userData);
        group.Post(() => group._changed(group, (AvahiEntryGroupState)state));
    }
}
