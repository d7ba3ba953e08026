using System.Net;
using System.Net.Sockets;
using PiPub.Configuration;
using PiPub.Node.Invites;

namespace PiPub.Composition;

/// <summary>
/// Under which addresses the box can be reached, TCP and WebSocket, this machine's own loopback last. Looked up anew each time,
/// since a box in a home changes its address.
/// </summary>
internal sealed class BoxAddresses(PiPubOptions options)
{
    /// <summary>The port listened on for peers; known once that has begun.</summary>
    public int SsbPort { get; set; }

    /// <summary>The port listened on for HTTP and WebSocket; known once that has begun.</summary>
    public int WebPort { get; set; }

    /// <summary>Knows them, once the box is joined with its networks.</summary>
    public Func<IReadOnlyList<InviteAddress>> Source { get; set; } = static () => [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<InviteAddress> Current() => Source();

    /// <summary>The ports that a router shall pass on to one of this machine's addresses: those that are wanted, and listened on there.</summary>
    public IReadOnlyList<int> PortsToMap(IPAddress local)
    {
        var ports = new List<int>(2);
        if (options.MapPort && SsbPort != 0 && IsListenedOn(local, options.SsbBind))
        {
            ports.Add(SsbPort);
        }

        if (options.MapWebPort && WebPort != 0 && IsListenedOn(local, options.WebBind))
        {
            ports.Add(WebPort);
        }

        return ports;
    }

    private static bool IsListenedOn(IPAddress local, IReadOnlyList<IPAddress> bound) =>
        bound.Count == 0
        || bound.Contains(IPAddress.IPv6Any)
        || bound.Contains(local)
        || (local.AddressFamily == AddressFamily.InterNetwork && bound.Contains(IPAddress.Any));
}
