using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>
/// A few networks for one test, made of network namespaces: switches, hosts that are plugged into them, routers between
/// them. Nothing in it leads out of it. It ends with the test, together with all that runs in it.
/// </summary>
/// <example><code>
/// await using var lab = await NetworkLab.StartAsync();
/// var lan = await lab.AddSwitchAsync("lan");
/// var host = await lab.AddHostAsync("box", lan, "192.168.7.2/24", "fd00:7::2/64");
/// var box = await host.StartBoxAsync();
/// </code></example>
internal sealed class NetworkLab : IAsyncDisposable
{
    private readonly TestNetwork _network = new();
    private readonly List<string> _namespaces = [];
    private readonly List<(string Host, PiPubProcess Box)> _boxes = [];
    private readonly Lock _gate = new();

    private NetworkLab()
    {
    }

    /// <summary>The key of the test's own SSB network.</summary>
    public string NetworkKey => _network.NetworkKey;

    /// <summary>An empty lab. Where no namespace can be made the test ends here, skipped, and says why.</summary>
    public static Task<NetworkLab> StartAsync()
    {
        Assert.SkipWhen(NetworkNamespaces.Unavailable is not null, NetworkNamespaces.Unavailable ?? "");
        return Task.FromResult(new NetworkLab());
    }

    /// <summary>Adds a switch (a bridge in a namespace of its own).</summary>
    public async Task<LabSwitch> AddSwitchAsync(string name) => await LabSwitch.CreateAsync(await AddNamespaceAsync(name));

    /// <summary>Adds a host with nothing but loopback.</summary>
    public async Task<LabHost> AddHostAsync(string name) => await LabHost.CreateAsync(this, name, await AddNamespaceAsync(name));

    /// <summary>Adds a host with an interface <c>eth0</c> that is plugged into a switch.</summary>
    /// <param name="name">For a person who looks at the namespaces.</param>
    /// <param name="into">The switch.</param>
    /// <param name="addresses">Such as 192.168.7.2/24 or fd00::2/64. The link-local IPv6 address comes by itself.</param>
    public async Task<LabHost> AddHostAsync(string name, LabSwitch into, params string[] addresses)
    {
        var host = await AddHostAsync(name);
        await host.PlugAsync("eth0", into, addresses);
        return host;
    }

    /// <summary>Adds a home router: <c>lan</c> and <c>wan</c> are its interfaces, and whoever is on the LAN goes out by its outer address.</summary>
    /// <param name="name">For a person who looks at the namespaces.</param>
    /// <param name="lan">The switch inside.</param>
    /// <param name="inside">Its address inside, such as 192.168.7.1/24.</param>
    /// <param name="wan">The switch outside.</param>
    /// <param name="outside">Its address outside, such as 1.2.3.7/24.</param>
    public async Task<HomeRouter> AddRouterAsync(string name, LabSwitch lan, string inside, LabSwitch wan, string outside)
    {
        var host = await AddHostAsync(name);
        await host.PlugAsync(HomeRouter.Inside, lan, inside);
        await host.PlugAsync(HomeRouter.Outside, wan, outside);
        return await HomeRouter.CreateAsync(this, host);
    }

    /// <summary>A directory that goes with the lab.</summary>
    public string NewDirectory(string name) => _network.NewDirectory(name);

    /// <summary>Something that ends with the lab; what was kept last ends first.</summary>
    public T Keep<T>(T member)
        where T : IAsyncDisposable => _network.Keep(member);

    public async ValueTask DisposeAsync()
    {
        // Shown only when the test fails.
        foreach (var (host, box) in _boxes)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"--- The end of the log of the box on {host}:\n{box.Log}");
        }

        await _network.DisposeAsync();
        foreach (var name in _namespaces)
        {
            await NetworkNamespaces.DeleteAsync(name);
        }
    }

    /// <summary>A box that ends with the lab, and whose log is shown when the test fails.</summary>
    internal PiPubProcess Keep(PiPubProcess box, string host)
    {
        lock (_gate)
        {
            _boxes.Add((host, box));
        }

        return Keep(box);
    }

    private async Task<string> AddNamespaceAsync(string name)
    {
        var full = await NetworkNamespaces.AddAsync(name);
        lock (_gate)
        {
            _namespaces.Add(full);
        }

        return full;
    }
}
