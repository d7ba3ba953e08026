using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Web.WebSockets;

namespace PiPub.Web.Tests;

/// <summary>Kestrel on a free port of loopback with the entrances of a box.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebServer(WebApplication app) => _app = app;

    public static KeyPair Self { get; } = KeyPair.Generate();

    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public MultiserverAddress Address => MultiserverAddress.Of(MultiserverTransport.Ws, "127.0.0.1", Url.Port, Self.Id);

    public static async Task<WebServer> StartAsync(Func<IDuplexPipe, EndPoint, CancellationToken, Task> accept)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.MapPeerWebSockets(peer => accept(peer.Pipe, new IPEndPoint(peer.Remote!, 0), TestContext.Current.CancellationToken));
        app.MapGet("/", static () => "a page");
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WebServer(app);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
