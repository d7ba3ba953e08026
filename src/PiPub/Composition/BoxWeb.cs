using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PiPub.Configuration;
using PiPub.Node.Peers;

namespace PiPub.Composition;

/// <summary>
/// Kestrel, which listens for everything that comes by TCP: peers on one port, HTTP and WebSocket on the other.
/// </summary>
internal sealed class BoxWeb : IAsyncDisposable
{
    private const int MaxRequestBody = 64 * 1024;
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(3);

    private readonly WebApplication _app;
    private ListenOptions? _ssb;
    private ListenOptions? _web;

    /// <summary>Prepares the listeners; nothing listens yet.</summary>
    /// <param name="options">Ports and addresses.</param>
    /// <param name="acceptPeer">Takes a connection on the port for peers.</param>
    /// <param name="addServices">Adds what is needed for that.</param>
    /// <param name="mapWeb">Says what is served by HTTP.</param>
    /// <param name="logs">The log.</param>
    public BoxWeb(PiPubOptions options, ConnectionDelegate acceptPeer, Action<IServiceCollection> addServices, Action<WebApplication> mapWeb, ILoggerFactory logs)
    {
        // Empty: what a box serves is said here and nowhere else, not in ASPNETCORE_ variables or appsettings files.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddSingleton(logs);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        addServices(builder.Services);
        builder.WebHost.UseKestrelCore().UseSockets(PeerListening.Configure);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequestBody;
            kestrel.Limits.MaxConcurrentConnections = (2 * options.MaxConnections) + 256;
            kestrel.Limits.MaxConcurrentUpgradedConnections = options.MaxConnections;
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
        });
        _app = builder.Build();
        mapWeb(_app);
    }

    /// <summary>The port that peers reach; known once started.</summary>
    public int SsbPort => _ssb!.IPEndPoint!.Port;

    /// <summary>The port of HTTP and WebSocket; known once started.</summary>
    public int WebPort => _web!.IPEndPoint!.Port;

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
            throw new IOException($"{e.Message.TrimEnd('.')}. Something else listens there, perhaps another box: stop it, or give this one other ports with ssb-port and web-port.", e);
        }
    }

    /// <summary>Stops listening and lets go of what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(StopWithin);
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

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
