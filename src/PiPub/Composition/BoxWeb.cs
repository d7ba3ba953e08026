using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.Peers;
using PiPub.Web.Https;
using PiPub.Web.Settings;

namespace PiPub.Composition;

/// <summary>
/// Kestrel, which listens for everything that comes by TCP: peers on one port, HTTP and WebSocket on another, and both by HTTPS on a third.
/// </summary>
internal sealed partial class BoxWeb : IAsyncDisposable
{
    private const int MaxRequestBody = 64 * 1024;

    // The first of a new box makes its certificate meanwhile, which takes a small board seconds.
    private static readonly TimeSpan HandshakeWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(3);

    private readonly WebApplication _app;
    private ListenOptions? _ssb;
    private ListenOptions? _web;
    private ListenOptions? _https;

    /// <summary>Prepares the listeners; nothing listens yet.</summary>
    /// <param name="options">Ports and addresses.</param>
    /// <param name="acceptPeer">Takes a connection on the port for peers.</param>
    /// <param name="certificate">What is shown to those who come by HTTPS; null for nobody can.</param>
    /// <param name="mapWeb">Says what is served by HTTP.</param>
    /// <param name="logs">The log.</param>
    public BoxWeb(PiPubOptions options, ConnectionDelegate acceptPeer, ServerCertificate? certificate, Action<WebApplication> mapWeb, ILoggerFactory logs)
    {
        // Empty: what a box serves is said here and nowhere else, not in ASPNETCORE_ variables or appsettings files.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().UseSockets(PeerListening.Configure);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBody;
            // Set once, and so for as many as the pages may choose; the node keeps to what was chosen.
            var connections = Math.Max(options.MaxConnections, BoxLimits.MostConnections);
            kestrel.Limits.MaxConcurrentConnections = (2 * connections) + 256;
            kestrel.Limits.MaxConcurrentUpgradedConnections = connections;
            Listen(kestrel, options.SsbBind, options.SsbPort, listen =>
            {
                _ssb ??= listen;
                listen.Use(_ => acceptPeer);
            });
            Listen(kestrel, options.WebBind, options.WebPort, listen =>
            {
                _web ??= listen;
                listen.Protocols = HttpProtocols.Http1;
            });
            if (certificate is not null && HttpsPortOf(options, logs) is { } port)
            {
                Listen(kestrel, options.WebBind, port, listen =>
                {
                    _https ??= listen;
                    listen.Protocols = HttpProtocols.Http1;
                    listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => new(certificate.ForConnection()), HandshakeTimeout = HandshakeWithin });
                });
            }
        });
        _app = builder.Build();
        mapWeb(_app);
    }

    /// <summary>The port that peers reach; known once started.</summary>
    public int SsbPort => _ssb!.IPEndPoint!.Port;

    /// <summary>The port of HTTP and WebSocket; known once started.</summary>
    public int WebPort => _web!.IPEndPoint!.Port;

    /// <summary>The port of HTTPS; known once started, null when nothing listens there.</summary>
    public int? HttpsPort => _https?.IPEndPoint!.Port;

    /// <summary>Begins to listen.</summary>
    /// <exception cref="IOException">A port is taken, or an address is not this machine's.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new IOException($"{e.Message.TrimEnd('.')}. Something else listens there, perhaps another box: stop it, or give this one other ports with ssb-port, web-port and https-port.", e);
        }
    }

    /// <summary>Stops listening and lets go of what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopWithin);
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    /// <summary>The port for HTTPS. One that nobody chose gives way when it is taken: two boxes run beside each other as they did before there was one.</summary>
    private static int? HttpsPortOf(PiPubOptions options, ILoggerFactory logs)
    {
        if (options.HttpsPort is not { } port || options.IsHttpsPortChosen || port == 0 || !IsTaken(options, port))
        {
            return options.HttpsPort;
        }

        PortIsTaken(logs.CreateLogger<BoxWeb>(), port);
        return null;
    }

    private static bool IsTaken(PiPubOptions options, int port)
    {
        if (port == options.WebPort || port == options.SsbPort)
        {
            return true;
        }

        foreach (var address in options.WebBind.Count > 0 ? options.WebBind : [Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any])
        {
            try
            {
                using var probe = SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(address, port));
                probe.Listen();
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                return true;
            }
            catch (SocketException)
            {
                // Another problem, which is told when the listening begins.
            }
        }

        return false;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Port {Port} is taken, perhaps by another box, so this one has no secure address (HTTPS). Give it a port of its own with https-port.")]
    private static partial void PortIsTaken(ILogger logger, int port);

    private static void Listen(KestrelServerOptions kestrel, IReadOnlyList<IPAddress> addresses, int port, Action<ListenOptions> configure)
    {
        if (addresses.Count == 0)
        {
            kestrel.ListenAnyIP(port, configure);
            return;
        }

        foreach (var address in addresses)
        {
            kestrel.Listen(address, port, configure);
        }
    }

    /// <summary>Starting and stopping is the box's business, not the web server's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
