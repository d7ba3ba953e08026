using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>A service as it is named on one interface, by one version of IP. Source: RFC 6763 section 4.1.</summary>
/// <param name="Interface">Index of the network interface.</param>
/// <param name="Protocol">avahi's number for IPv4 or IPv6.</param>
/// <param name="Name">What it calls itself, at most 63 bytes of UTF-8.</param>
/// <param name="Domain">Nearly always <c>local</c>.</param>
internal readonly record struct AvahiServiceName(int Interface, int Protocol, string Name, string Domain);

/// <summary>What happened to a service that is browsed for.</summary>
internal enum AvahiBrowserEvent
{
    Appeared,
    Disappeared,

    /// <summary>The daemon looks no longer.</summary>
    Failed,
}

/// <summary>A service came or went; it has no name when browsing failed.</summary>
internal readonly record struct AvahiServiceEvent(AvahiBrowserEvent Event, AvahiServiceName Service);

/// <summary>Looks for services of one type on all interfaces, this machine's own left out.</summary>
internal sealed unsafe class AvahiServiceBrowser : AvahiObject
{
    private readonly Action<AvahiServiceEvent> _told;

    private AvahiServiceBrowser(AvahiClient client, Action<AvahiServiceEvent> told)
        : base(client) => _told = told;

    internal static AvahiServiceBrowser? Create(AvahiClient client, string type, Action<AvahiServiceEvent> told)
    {
        var browser = new AvahiServiceBrowser(client, told);
        browser.Native = AvahiApi.avahi_service_browser_new(
            client.Native, AvahiApi.Unspecified, AvahiApi.Unspecified, type, null, 0, &OnEvent, browser.UserData);
        if (browser.Native != 0)
        {
            return browser;
        }

        browser.Dispose();
        return null;
    }

    protected override void Free(nint native) => _ = AvahiApi.avahi_service_browser_free(native);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnEvent(nint native, int interfaceIndex, int protocol, int what, byte* name, byte* type, byte* domain, int flags, nint userData)
    {
        // What this machine publishes itself is nobody to be found.
        var isOther = (flags & AvahiApi.ResultLocal) == 0;
        AvahiBrowserEvent? happened = what switch
        {
            AvahiApi.BrowserNew when isOther => AvahiBrowserEvent.Appeared,
            AvahiApi.BrowserRemove => AvahiBrowserEvent.Disappeared,
            AvahiApi.BrowserFailure => AvahiBrowserEvent.Failed,
            _ => null,
        };
        if (happened is { } known)
        {
            var browser = From<AvahiServiceBrowser>(userData);
            var told = new AvahiServiceEvent(known, new AvahiServiceName(interfaceIndex, protocol, AvahiApi.Text(name) ?? "", AvahiApi.Text(domain) ?? ""));
            browser.Post(() => browser._told(told));
        }
    }
}

/// <summary>Where a service is and what it tells about itself. All of it is what some machine on the network says.</summary>
/// <param name="Address">The host's address; link-local IPv6 with the interface as scope. Null when it told none.</param>
/// <param name="Port">0 to 65535.</param>
/// <param name="Txt">The strings of the TXT record, at most <see cref="AvahiServiceResolver.MaxTxtStrings"/> of at most 255 bytes.</param>
internal sealed record ResolvedService(IPAddress? Address, int Port, IReadOnlyList<byte[]> Txt);

/// <summary>Follows where a service is: told once it is found, and again when it has another address or text.</summary>
internal sealed unsafe class AvahiServiceResolver : AvahiObject
{
    /// <summary>Strings of a TXT record that are read; more are left.</summary>
    public const int MaxTxtStrings = 16;

    private const int MaxTxtBytes = 255;

    private readonly Action<ResolvedService> _found;

    private AvahiServiceResolver(AvahiClient client, Action<ResolvedService> found)
        : base(client) => _found = found;

    internal static AvahiServiceResolver? Create(AvahiClient client, AvahiServiceName service, string type, Action<ResolvedService> found)
    {
        // One address is told for each: that of the version of IP on which the service was heard of.
        var resolver = new AvahiServiceResolver(client, found);
        resolver.Native = AvahiApi.avahi_service_resolver_new(
            client.Native, service.Interface, service.Protocol, service.Name, type, service.Domain, service.Protocol, 0, &OnEvent, resolver.UserData);
        if (resolver.Native != 0)
        {
            return resolver;
        }

        resolver.Dispose();
        return null;
    }

    protected override void Free(nint native) => _ = AvahiApi.avahi_service_resolver_free(native);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnEvent(
        nint native, int interfaceIndex, int protocol, int what, byte* name, byte* type, byte* domain, byte* host, AvahiAddress* address, ushort port, AvahiStringList* txt, int flags, nint userData)
    {
        // A failure is only that nobody has answered yet; the daemon goes on asking until the service disappears.
        if (what == AvahiApi.ResolverFound)
        {
            var resolver = From<AvahiServiceResolver>(userData);
            var service = new ResolvedService(Read(address, interfaceIndex), port, Read(txt));
            resolver.Post(() => resolver._found(service));
        }
    }

    private static IPAddress? Read(AvahiAddress* address, int interfaceIndex)
    {
        if (address is null)
        {
            return null;
        }

        if (address->Protocol == AvahiApi.ProtocolIpv4)
        {
            return new IPAddress(new ReadOnlySpan<byte>(address->Bytes, 4));
        }

        var ip = new IPAddress(new ReadOnlySpan<byte>(address->Bytes, 16));
        if (ip.IsIPv6LinkLocal)
        {
            ip.ScopeId = interfaceIndex;
        }

        return ip;
    }

    private static List<byte[]> Read(AvahiStringList* txt)
    {
        var strings = new List<byte[]>();
        for (; txt is not null && strings.Count < MaxTxtStrings; txt = txt->Next)
        {
            if (txt->Size <= MaxTxtBytes)
            {
                strings.Add(new ReadOnlySpan<byte>(txt->Text, (int)txt->Size).ToArray());
            }
        }

        return strings;
    }
}
