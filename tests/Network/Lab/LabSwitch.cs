namespace PiPub.NetworkTests.Lab;

/// <summary>An Ethernet switch: a bridge in a namespace of its own, which passes on every broadcast and multicast.</summary>
internal sealed class LabSwitch
{
    private const string Bridge = "br0";

    private readonly string _namespace;
    private int _ports;

    private LabSwitch(string name) => _namespace = name;

    internal static async Task<LabSwitch> CreateAsync(string name)
    {
        // It has no address of its own, not even a link-local one.
        await LabHost.SetAsync(name, "net/ipv6/conf/all/disable_ipv6", "1");
        await LabHost.SetAsync(name, "net/ipv6/conf/default/disable_ipv6", "1");
        await NetworkNamespaces.IpAsync("-n", name, "link", "add", Bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0");
        await NetworkNamespaces.IpAsync("-n", name, "link", "set", Bridge, "up");
        return new LabSwitch(name);
    }

    /// <summary>Lays a cable from a port of the switch to a new interface of a host; the interface is still down.</summary>
    internal async Task PlugAsync(string hostNamespace, string interfaceName)
    {
        var port = $"port{Interlocked.Increment(ref _ports)}";
        await NetworkNamespaces.IpAsync("-n", _namespace, "link", "add", port, "type", "veth", "peer", "name", interfaceName, "netns", hostNamespace);
        await NetworkNamespaces.IpAsync("-n", _namespace, "link", "set", port, "master", Bridge, "up");
    }
}
