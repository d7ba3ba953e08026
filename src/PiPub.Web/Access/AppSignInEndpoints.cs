using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PiPub.Node.HttpAuth;
using PiPub.Web.Forms;

namespace PiPub.Web.Access;

/// <summary>What stands behind the page for signing in with an app: it is told when the app has answered, and fetches its session.</summary>
/// <remarks>
/// Events (WHATWG HTML, server-sent events) after go-ssb-room's: <c>ping</c> every three seconds, then once <c>success</c> or
/// <c>failed</c>. Unlike there, they hang on a ticket that only this browser knows: the nonce is in a picture that others may see.
/// </remarks>
public static class AppSignInEndpoints
{
    /// <summary>Where a page hears of its sign-in: <c>ticket</c>.</summary>
    public const string Events = "/sign-in/app/events";

    /// <summary>Where it fetches its session: <c>ticket</c>.</summary>
    public const string Finish = "/access/sign-in-app";

    /// <summary>Where the owner switches it on or off: <c>app</c>, which is <c>on</c> or <c>off</c>.</summary>
    public const string Choice = "/access/app";

    private const int MostListening = 32;
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(3);

    /// <summary>Serves them.</summary>
    public static void MapAppSignIn(this IEndpointRouteBuilder routes, AppSignIn app, TimeProvider time)
    {
        var listening = new StrongBox<int>();
        routes.MapGet(Events, (RequestDelegate)(context => ListenAsync(context, app, time, listening))).AllowAnonymous();
        routes.MapForm(Finish, context => FinishAsync(context, app)).AllowAnonymous();
        routes.MapForm(Choice, context => ChooseAsync(context, app));
    }

    private static async Task ListenAsync(HttpContext context, AppSignIn app, TimeProvider time, StrongBox<int> listening)
    {
        if (app.Find(context.Request.Query["ticket"]) is not { } challenge)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (Interlocked.Increment(ref listening.Value) > MostListening)
        {
            Interlocked.Decrement(ref listening.Value);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        try
        {
            var stopping = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            context.Response.ContentType = "text/event-stream";
            context.Response.Headers.CacheControl = "no-store";
            await TellAsync(context.Response, challenge, time, gone.Token);
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or the box stops.
        }
        finally
        {
            Interlocked.Decrement(ref listening.Value);
        }
    }

    private static async Task TellAsync(HttpResponse response, HttpAuthChallenge challenge, TimeProvider time, CancellationToken gone)
    {
        while (!challenge.Solved.IsCompleted && time.GetUtcNow() < challenge.Expires)
        {
            await SayAsync(response, "ping", gone);
            await ((Task)challenge.Solved).WaitAsync(PingEvery, time, gone).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            gone.ThrowIfCancellationRequested();
        }

        await SayAsync(response, challenge.Solved is { IsCompleted: true, Result: not null } ? "success" : "failed", gone);
    }

    private static async Task SayAsync(HttpResponse response, string name, CancellationToken gone)
    {
        await response.Body.WriteAsync(Encoding.ASCII.GetBytes($"event: {name}\ndata: {name}\n\n"), gone);
        await response.Body.FlushAsync(gone);
    }

    private static async Task FinishAsync(HttpContext context, AppSignIn app)
    {
        if (await AccessEndpoints.ReadAsync(context) is not { } form)
        {
            return;
        }

        var ticket = form["ticket"].ToString();
        if (app.Find(ticket) is { Solved.IsCompleted: false })
        {
            // Pressed before the app has answered: that is no attempt, and the picture is still good.
            context.Response.Redirect($"{AppSignInPage.Path}?ticket={Uri.EscapeDataString(ticket)}&problem=notyet");
            return;
        }

        var answer = app.Finish(ticket, Visitor.AddressOf(context), Visitor.BrowserOf(context));
        AccessEndpoints.Answer(context, answer, welcome: "/", again: "/sign-in");
    }

    private static async Task ChooseAsync(HttpContext context, AppSignIn app)
    {
        if (await AccessEndpoints.ReadAsync(context) is { } form)
        {
            app.Set(form["app"] == "on");
            context.Response.Redirect("/settings");
        }
    }
}
