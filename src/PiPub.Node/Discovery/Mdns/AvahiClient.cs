using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// A connection with avahi-daemon. Everything that was made through it ends with it, and the daemon says goodbye on the
/// network for what was published. Only for the loop's thread.
/// </summary>
internal sealed unsafe class AvahiClient : IDisposable
{
    private readonly Action<AvahiClient, AvahiClientState> _changed;
    private readonly List<AvahiObject> _objects = [];
    private GCHandle _self;

    private AvahiClient(AvahiLoop loop, Action<AvahiClient, AvahiClientState> changed)
    {
        (Loop, _changed) = (loop, changed);
        _self = GCHandle.Alloc(this);
    }

    public AvahiLoop Loop { get; }

    /// <summary>The library's own; 0 when this has ended.</summary>
    public nint Native { get; private set; }

    /// <summary>The daemon's host name without domain.</summary>
    public string? HostName => AvahiApi.Text(AvahiApi.avahi_client_get_host_name(Native));

    /// <summary>The domain that the daemon publishes in, which is local unless its owner chose another.</summary>
    public string? DomainName => AvahiApi.Text(AvahiApi.avahi_client_get_domain_name(Native));

    /// <summary>What went wrong last.</summary>
    public int LastError => AvahiApi.avahi_client_errno(Native);

    /// <summary>Connects. A daemon that is not there yet is waited for, D-Bus is not.</summary>
    /// <param name="loop">Whose thread this is.</param>
    /// <param name="changed">Told on the loop each time the state changes, the first time soon.</param>
    /// <param name="error">Why there is no connection.</param>
    /// <returns>Null when it cannot be.</returns>
    public static AvahiClient? Connect(AvahiLoop loop, Action<AvahiClient, AvahiClientState> changed, out int error)
    {
        var client = new AvahiClient(loop, changed);
        var reason = 0;
        client.Native = AvahiApi.avahi_client_new(loop.PollApi, AvahiApi.ClientNoFail, &OnState, GCHandle.ToIntPtr(client._self), &reason);
        error = reason;
        if (client.Native != 0)
        {
            return client;
        }

        client.Dispose();
        return null;
    }

    /// <summary>Makes room for records that are published, or not, together; null when the daemon refuses.</summary>
    public AvahiEntryGroup? AddGroup(Action<AvahiEntryGroup, AvahiEntryGroupState> changed) => Keep(AvahiEntryGroup.Create(this, changed));

    /// <summary>Looks for services of a type on all interfaces; null when the daemon refuses.</summary>
    public AvahiServiceBrowser? Browse(string type, Action<AvahiServiceEvent> told) => Keep(AvahiServiceBrowser.Create(this, type, told));

    /// <summary>Looks up where a service is, now and whenever that changes; null when the daemon refuses.</summary>
    public AvahiServiceResolver? Resolve(AvahiServiceName service, string type, Action<ResolvedService> found) =>
        Keep(AvahiServiceResolver.Create(this, service, type, found));

    /// <summary>Ends the connection and all that was made through it.</summary>
    public void Dispose()
    {
        if (Native != 0)
        {
            AvahiApi.avahi_client_free(Native);
            Native = 0;
        }

        foreach (var one in _objects)
        {
            one.EndedWithClient();
        }

        _objects.Clear();
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    internal void Forget(AvahiObject one) => _objects.Remove(one);

    private T? Keep<T>(T? one)
        where T : AvahiObject
    {
        if (one is not null)
        {
            _objects.Add(one);
        }

        return one;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnState(nint native, int state, nint userData)
    {
        var client = (AvahiClient)GCHandle.FromIntPtr(userData).Target!;
        client.Loop.Post(() =>
        {
            if (client.Native != 0)
            {
                client._changed(client, (AvahiClientState)state);
            }
        });
    }
}

/// <summary>Something of the library's that belongs to a client and calls back.</summary>
internal abstract class AvahiObject : IDisposable
{
    private GCHandle _self;

    protected AvahiObject(AvahiClient client)
    {
        Client = client;
        _self = GCHandle.Alloc(this);
    }

    protected AvahiClient Client { get; }

    /// <summary>The library's own; 0 when this has ended.</summary>
    protected nint Native { get; set; }

    /// <summary>What the library hands to its callbacks, by which they find this object.</summary>
    protected nint UserData => GCHandle.ToIntPtr(_self);

    /// <summary>Takes back what it stood for.</summary>
    public void Dispose()
    {
        if (Native != 0)
        {
            Free(Native);
            Client.Forget(this);
        }

        EndedWithClient();
    }

    /// <summary>The library has freed it already.</summary>
    internal void EndedWithClient()
    {
        Native = 0;
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    protected abstract void Free(nint native);

    /// <summary>Has something done on the loop, unless this has ended by then.</summary>
    protected void Post(Action work) => Client.Loop.Post(() =>
    {
        if (Native != 0)
        {
            work();
        }
    });

    protected static T From<T>(nint userData)
        where T : AvahiObject => (T)GCHandle.FromIntPtr(userData).Target!;
}
