using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PiPub.Interop;
using PiPub.Storage;
using PiPub.Web.Access;
using PiPub.Web.Dashboard;
using PiPub.Web.Https;
using PiPub.Web.Shell;

namespace PiPub.BrowserTests;

/// <summary>Who is not the owner gets the few open pages and nothing else.</summary>
public sealed class StrangerTests
{
    /// <summary>What is open to everybody. All other routes, whichever there are, must refuse.</summary>
    private static readonly string[] Open =
        ["/claim", "/sign-in", "/join", "/assets/{name}", "/healthz", "/access/claim", "/access/sign-in", "/language", "/authority.crt", "/login", "/sign-in/app", "/sign-in/app/events", "/access/sign-in-app"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stranger_is_refused_by_every_route_but_the_open_ones()
    {
        var routes = await RoutesAsync();
        var pages = typeof(Face).Assembly.GetTypes().SelectMany(static type => type.GetCustomAttributes<RouteAttribute>()).Select(static page => page.Template);
        Assert.Superset(pages.ToHashSet(), routes.Select(static route => route.Template).ToHashSet());
        Assert.Superset(new HashSet<string> { "/metrics", "/api/status", "/_blazor", "/_blazor/negotiate", "/people", "/access/sign-out", "/access/secure", "/access/app" }, routes.Select(static route => route.Template).ToHashSet());
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        using var stranger = Stranger(pub);

        var letIn = new List<string>();
        foreach (var (template, method) in routes.Where(static route => !Open.Contains(route.Template)))
        {
            foreach (var accepted in (string[])["text/html", "*/*"])
            {
                using var request = new HttpRequestMessage(new HttpMethod(method), template.Replace("{id}", new string('0', 64), StringComparison.Ordinal));
                request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accepted));
                using var answer = await stranger.SendAsync(request, Stop);
                var refused = answer.StatusCode == HttpStatusCode.Unauthorized
                    || (answer.StatusCode == HttpStatusCode.Redirect && answer.Headers.Location!.ToString().EndsWith("/claim", StringComparison.Ordinal));
                if (!refused)
                    letIn.Add($"{method} {template} ({accepted}): {(int)answer.StatusCode}");
            }
        }

        Assert.Empty(letIn);
    }

    [Fact]
    public async Task A_stranger_gets_no_live_connection_over_which_anything_could_be_called()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        using var stranger = Stranger(pub);
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("/_blazor/negotiate?negotiateVersion=1", null, Stop)).StatusCode);

        using var upgrade = new HttpRequestMessage(HttpMethod.Get, "/_blazor");
        upgrade.Headers.Connection.Add("Upgrade");
        upgrade.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        upgrade.Headers.Add("Sec-WebSocket-Version", "13");
        upgrade.Headers.Add("Sec-WebSocket-Key", Convert.ToBase64String(new byte[16]));
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.SendAsync(upgrade, Stop)).StatusCode);
    }

    private static HttpClient Stranger(PiPubProcess pub) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(Visit.OriginOf(pub)) };

    /// <summary>All that the pages' web server answers to, with the methods of each: mapped here as in the box, and never served.</summary>
    private static async Task<IReadOnlyList<(string Template, string Method)>> RoutesAsync()
    {
        var keys = Directory.CreateTempSubdirectory("pipub-routes-");
        try
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Services.AddFace(keys);
            builder.Services.AddSingleton((OwnerAccess)RuntimeHelpers.GetUninitializedObject(typeof(OwnerAccess)));
            builder.Services.AddSingleton((BoxPulse)RuntimeHelpers.GetUninitializedObject(typeof(BoxPulse)));
            builder.Services.AddSingleton((SecureConnection)RuntimeHelpers.GetUninitializedObject(typeof(SecureConnection)));
            builder.Services.AddSingleton((AppSignIn)RuntimeHelpers.GetUninitializedObject(typeof(AppSignIn)));
            builder.Services.AddSingleton(TimeProvider.System);
            builder.Services.AddSingleton(new HostNames(static () => []));
            builder.Services.AddSingleton(DispatchProxy.Create<IBlobStore, Nothing>());
            var app = builder.Build();
            app.MapFace();
            var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>();
            return
            [
                .. endpoints.SelectMany(static endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["GET", "POST"])
                    .Select(method => ("/" + endpoint.RoutePattern.RawText!.TrimStart('/').TrimEnd('/'), method))).Distinct(),
            ];
        }
        finally
        {
            await Task.Run(() => keys.Delete(recursive: true), Stop);
        }
    }

    /// <summary>Stands where something is needed and never asked.</summary>
    public class Nothing : DispatchProxy
    {
        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => throw new NotSupportedException();
    }
}
