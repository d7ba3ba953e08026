using System.Net;
using System.Net.Sockets;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Web.WebSockets;

/// <summary>Reaches <c>ws:</c> and <c>wss:</c> addresses for the node.</summary>
public sealed class WebSocketPeerDialer : IPeerDialer, IDisposable
{
    // The address is looked up and judged in the same step that connects to it, so that a name cannot change in between.
    private readonly HttpMessageInvoker _anywhere = Invoker(publicOnly: false);
    private readonly HttpMessageInvoker _publicOnly = Invoker(publicOnly: true);

    /// <inheritdoc/>
    public bool CanDial(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.Transport is MultiserverTransport.Ws or MultiserverTransport.Wss;
    }

    /// <inheritdoc/>
    public async ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        var transport = await WebSocketDialler.ConnectAsync(address, cancellationToken, publicOnly ? _publicOnly : _anywhere);
        _ = PeerHost.TryParseAddress(address.Host, out var remote);
        return new PeerTransport(transport, remote, address.ToString(), transport.Abort, transport.DisposeAsync);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _anywhere.Dispose();
        _publicOnly.Dispose();
    }

    private static HttpMessageInvoker Invoker(bool publicOnly) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, publicOnly, cancellationToken),
    });

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint endPoint, bool publicOnly, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(endPoint.Host, cancellationToken);
        var allowed = publicOnly ? Array.FindAll(addresses, static a => PeerHost.ScopeOf(a) == AddressScope.Public) : addresses;
        if (allowed.Length == 0)
        {
            throw new IOException(addresses.Length == 0
                ? $"{endPoint.Host} has no address."
                : $"{endPoint.Host} is in a local network, where the box does not go on a stranger's word.");
        }

        if (publicOnly && allowed.Length > TcpDialer.MaxAddressesOfName)
        {
            allowed = allowed[..TcpDialer.MaxAddressesOfName];
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, endPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
