using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Addresses;

namespace PiPub.Node.Peers;

/// <summary>Reaches <c>net:</c> addresses, with Nagle's algorithm off, over the same pipes that incoming connections have.</summary>
public sealed class TcpDialer(ILoggerFactory loggers) : IPeerDialer, IDisposable
{
    /// <summary>Most addresses of a name that are tried when the network told of it: a name may have hundreds, all of them somebody else's.</summary>
    public const int MaxAddressesOfName = 4;

    private readonly SocketConnectionContextFactory _pipes =
        new(new SocketConnectionFactoryOptions { IOQueueCount = 1, MaxReadBufferSize = PeerListening.MaxReadBuffer }, loggers.CreateLogger<TcpDialer>());

    /// <inheritdoc/>
    public bool CanDial(MultiserverAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.Transport == MultiserverTransport.Net && address.IsDialable;
    }

    /// <inheritdoc/>
    public async ValueTask<PeerTransport> DialAsync(MultiserverAddress address, bool publicOnly, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        SocketException? last = null;
        foreach (var ip in await LookUpAsync(address.Host, publicOnly, cancellationToken))
        {
            var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(ip, address.Port, cancellationToken);
                return OverSocket(_pipes, socket, ip, address.ToString());
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new PeerConnectException($"{address.Host}:{address.Port} cannot be reached: {Words(last!)}.", last!);
    }

    /// <inheritdoc/>
    public void Dispose() => _pipes.Dispose();

    /// <summary>Puts pipes on a connected socket, which from here on belongs to them.</summary>
    internal static PeerTransport OverSocket(SocketConnectionContextFactory pipes, Socket socket, IPAddress? remote, string description)
    {
        var connection = pipes.Create(socket);
        return new PeerTransport(connection.Transport, remote, description, connection.Abort, connection.DisposeAsync)
        {
            Local = (connection.LocalEndPoint as IPEndPoint)?.Address,
        };
    }

    private static async ValueTask<IReadOnlyList<IPAddress>> LookUpAsync(string host, bool publicOnly, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        try
        {
            addresses = PeerHost.TryParseAddress(host, out var ip) ? [ip] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new PeerConnectException($"The name {host} cannot be found. Is it spelled right, and is this box online?", e);
        }

        var allowed = publicOnly ? Array.FindAll(addresses, static a => PeerHost.ScopeOf(a) == AddressScope.Public) : addresses;
        return allowed.Length > 0
            ? allowed[..Math.Min(allowed.Length, publicOnly ? MaxAddressesOfName : allowed.Length)]
            : throw new PeerConnectException($"{host} is an address inside a home network or of this machine; such addresses are only connected to when the owner gives them.");
    }

    private static string Words(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "nothing listens there",
        SocketError.TimedOut => "it does not answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no way there from here; is this box online?",
        _ => e.Message.TrimEnd('.'),
    };
}
