using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.JSInterop;
using PiPub.Interop;
using PiPub.Storage;
using PiPub.Web.Access;
using PiPub.Web.Dashboard;
using PiPub.Web.Https;
using PiPub.Web.Shell;

namespace PiPub.BrowserTests;

/// <summary>Who is not the owner gets the few open pages and nothing else.</summary>
public sealed class StrangerTests(Chromium chromium)
{
    private const BindingFlags AllMethods = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    /// <summary>What is open to everybody. All other routes, whichever there are, must refuse.</summary>
    private static readonly string[] Open =
        ["/claim", "/sign-in", "/join", "/pair", "/assets/{name}", "/healthz", "/access/claim", "/access/sign-in", "/language", "/authority.crt", "/login", "/sign-in/app", "/sign-in/app/events", "/access/sign-in-app"];

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

    [Fact]
    public async Task A_stranger_calls_no_method_of_the_hub_not_even_over_the_owners_connection()
    {
        var methods = HubMethods();
        Assert.Superset(new HashSet<string> { "StartCircuit", "ConnectCircuit", "BeginInvokeDotNetFromJS" }, methods.ToHashSet());
        // Nor have the pages methods of their own that a script could call.
        Assert.DoesNotContain(typeof(Face).Assembly.GetTypes().SelectMany(static type => type.GetMethods(AllMethods)), static method => method.IsDefined(typeof(JSInvokableAttribute)));
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        await using var owner = await Visit.OpenAsync(chromium, pub);
        await owner.ClaimAsync(pub);
        var connection = await owner.Page.EvaluateAsync<string>("async () => (await (await fetch('/_blazor/negotiate?negotiateVersion=1', { method: 'POST' })).json()).connectionToken");
        Assert.NotEmpty(connection);

        using var stranger = Stranger(pub);
        var letIn = new List<string>();
        foreach (var method in methods)
        {
            foreach (var id in (string?[])[null, connection])
            {
                // What SignalR sends by long polling: the handshake, then the call, each with the record separator.
                using var call = new StringContent($"{{\"protocol\":\"json\",\"version\":1}}\u001e{{\"type\":1,\"target\":\"{method}\",\"arguments\":[]}}\u001e");
                using var answer = await stranger.PostAsync("/_blazor" + (id is null ? "" : "?id=" + id), call, Stop);
                if (answer.StatusCode != HttpStatusCode.Unauthorized)
                    letIn.Add($"{method} {(id is null ? "" : "over the owner's connection")}: {(int)answer.StatusCode}");
            }
        }

        Assert.Empty(letIn);
        using var polling = await stranger.GetAsync("/_blazor?id=" + connection, Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, polling.StatusCode);
    }

    /// <summary>What a browser could call on the server: all public methods of the one hub that there is.</summary>
    private static List<string> HubMethods() =>
    [
        .. typeof(CircuitOptions).Assembly.GetType("Microsoft.AspNetCore.Components.Server.ComponentHub", throwOnError: true)!
            .GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(static method => !method.IsSpecialName && method.GetBaseDefinition() == method)
            .Select(static method => method.Name),
    ];

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
