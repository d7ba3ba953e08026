using System.Text.Json;
using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>A machine of the lab: a network namespace with interfaces, in which programs run.</summary>
internal sealed class LabHost
{
    private LabHost(NetworkLab lab, string name, string networkNamespace) => (Lab, Name, Namespace) = (lab, name, networkNamespace);

    public NetworkLab Lab { get; }

    /// <summary>What the test calls it.</summary>
    public string Name { get; }

    /// <summary>Its namespace, for <c>ip netns exec</c>.</summary>
    public string Namespace { get; }

    /// <summary>Where programs of this host find D-Bus; null for nowhere.</summary>
    public string? SystemBus { get; internal set; }

    /// <summary>The command that puts a program onto this host.</summary>
    public IReadOnlyList<string> Within =>
        ["ip", "netns", "exec", Namespace, "env", $"DBUS_SYSTEM_BUS_ADDRESS={SystemBus ?? "unix:path=/nonexistent"}"];

    internal static async Task<LabHost> CreateAsync(NetworkLab lab, string name, string networkNamespace)
    {
        // An IPv6 address is to be had at once, not after asking for two seconds whether somebody else has it.
        await SetAsync(networkNamespace, "net/ipv6/conf/all/accept_dad", "0");
        await SetAsync(networkNamespace, "net/ipv6/conf/default/accept_dad", "0");
        await NetworkNamespaces.IpAsync("-n", networkNamespace, "link", "set", "lo", "up");
        return new LabHost(lab, name, networkNamespace);
    }

    /// <summary>Adds an interface that is plugged into a switch, gives it addresses, and takes it up.</summary>
    public async Task PlugAsync(string interfaceName, LabSwitch into, params string[] addresses)
    {
        await into.PlugAsync(Namespace, interfaceName);
        await LinkUpAsync(interfaceName);
        foreach (var address in addresses)
        {
            await AddAddressAsync(interfaceName, address);
        }
    }

    public Task LinkUpAsync(string interfaceName) => IpAsync("link", "set", interfaceName, "up");

    /// <summary>As when the cable is pulled and the address given up: IPv6 addresses go, routes go, IPv4 addresses stay.</summary>
    public Task LinkDownAsync(string interfaceName) => IpAsync("link", "set", interfaceName, "down");

    /// <summary>Adds an address with its prefix length, such as 192.168.7.2/24; IPv4 gets its broadcast address, too.</summary>
    public Task AddAddressAsync(string interfaceName, string address) => address.Contains(':')
        ? IpAsync("address", "add", address, "dev", interfaceName, "nodad")
        : IpAsync("address", "add", address, "broadcast", "+", "dev", interfaceName);

    public Task RemoveAddressAsync(string interfaceName, string address) => IpAsync("address", "delete", address, "dev", interfaceName);

    /// <summary>Sends what is for elsewhere to a router.</summary>
    public Task AddDefaultRouteAsync(string gateway, string interfaceName = "eth0") =>
        IpAsync(gateway.Contains(':') ? "-6" : "-4", "route", "add", "default", "via", gateway, "dev", interfaceName);

    /// <summary>The link-local IPv6 address of an interface, without its zone. The kernel gives it a moment after the interface has come up.</summary>
    public async Task<string> LinkLocalAsync(string interfaceName = "eth0")
    {
        string? found = null;
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var document = JsonDocument.Parse(await IpAsync("-json", "-6", "address", "show", "dev", interfaceName, "scope", "link"));
                found = document.RootElement.EnumerateArray()
                    .Where(static one => one.TryGetProperty("addr_info", out _))
                    .SelectMany(static one => one.GetProperty("addr_info").EnumerateArray())
                    .Select(static address => address.TryGetProperty("local", out var local) ? local.GetString() : null)
                    .FirstOrDefault(static local => local is not null);
                return found is not null;
            },
            $"{Name} has a link-local address");
        return found!;
    }

    /// <summary>Runs <c>ip</c> on this host.</summary>
    public Task<string> IpAsync(params string[] arguments) => NetworkNamespaces.IpAsync(["-n", Namespace, .. arguments]);

    /// <summary>Sets one of the kernel's settings, such as net/ipv4/ip_forward.</summary>
    public Task SetAsync(string setting, string value) => SetAsync(Namespace, setting, value);

    /// <summary>Starts a program that ends with the lab.</summary>
    /// <param name="onLine">Told each line that it prints; null when they do not matter.</param>
    /// <param name="program">Its path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    public ChildProcess Start(Action<string>? onLine, string program, params string[] arguments) =>
        Lab.Keep(ChildProcess.Start(program, arguments, onLine ?? (static _ => { }), Within));

    /// <summary>Runs a program to its end; answers with what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (exitCode, output, errors) = await TryRunAsync(program, arguments);
        return exitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} on {Name} ended with {exitCode}:\n{output}\n{errors}");
    }

    /// <summary>Runs a program to its end, which may be a failure.</summary>
    public Task<(int ExitCode, string Output, string Errors)> TryRunAsync(string program, params string[] arguments) =>
        ChildProcess.RunAsync(program, arguments, TestContext.Current.CancellationToken, within: Within);

    /// <summary>Gives a program its input and runs it to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task<string> FeedAsync(string input, string program, params string[] arguments)
    {
        var (exitCode, output, errors) = await ChildProcess.RunAsync(program, arguments, TestContext.Current.CancellationToken, input, Within);
        return exitCode == 0 ? output : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} on {Name} ended with {exitCode}:\n{output}\n{errors}");
    }

    /// <summary>Starts a box with nothing configured but where its data is, and the test's network key.</summary>
    public async Task<PiPubProcess> StartBoxAsync(params string[] settings) =>
        Lab.Keep(await PiPubProcess.StartInAsync(Within, Lab.NewDirectory(Name), Lab.NetworkKey, settings), Name);

    /// <summary>Starts a JavaScript peer of the modern stack that looks for others by ssb-lan and connects with them by ssb-conn.</summary>
    public Task<JsPeer> StartLanPeerAsync() => StartPeerAsync(Stack.Modern, lan: true);

    /// <summary>Starts a JavaScript peer that listens on the host's address.</summary>
    /// <param name="stack">Which.</param>
    /// <param name="lan">Whether it looks for others by ssb-lan; the modern stack only.</param>
    public async Task<JsPeer> StartPeerAsync(Stack stack, bool lan = false) =>
        Lab.Keep(await JsPeer.StartInAsync(Within, stack, Lab.NewDirectory(Name), Lab.NetworkKey, lan));

    internal static async Task SetAsync(string networkNamespace, string setting, string value)
    {
        var (exitCode, _, errors) = await ChildProcess.RunAsync(
            "sh", ["-c", "echo \"$1\" > \"/proc/sys/$0\"", setting, value], CancellationToken.None, within: ["ip", "netns", "exec", networkNamespace]);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"{setting} could not be set to {value}: {errors}");
        }
    }
}
