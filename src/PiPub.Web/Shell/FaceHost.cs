using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PiPub.Web.Shell;

/// <summary>The pages with all that they stand on, made when somebody first asks for one.</summary>
/// <remarks>
/// Components, circuits and their services take some twenty megabytes. A box is looked at now and then and serves peers all
/// day, many of them without anybody ever looking: so the pages are an application of their own behind the web server's.
/// </remarks>
/// <param name="addServices">Adds what the pages need; called once, at the first request.</param>
/// <param name="logs">The log.</param>
/// <param name="web">The application in front, whose server and lifetime are these pages', too: circuits end when it stops.</param>
public sealed class FaceHost(Action<IServiceCollection> addServices, ILoggerFactory logs, WebApplication web) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private WebApplication? _face;
    private RequestDelegate? _pipeline;
    private IHttpContextAccessor? _requests;

    /// <summary>Answers a request.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Open();
        var outer = context.RequestServices;
        await using var scope = _face!.Services.CreateAsyncScope();
        context.RequestServices = scope.ServiceProvider;
        _requests!.HttpContext = context;
        try
        {
            await _pipeline!(context);
        }
        finally
        {
            context.RequestServices = outer;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _face?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Open()
    {
        if (Volatile.Read(ref _pipeline) is not null)
        {
            return;
        }

        lock (_gate)
        {
            if (_pipeline is not null)
            {
                return;
            }

            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
            builder.Services.AddSingleton(logs);
            builder.Services.AddSingleton(web.Lifetime);
            builder.Services.AddSingleton(web.Services.GetRequiredService<IServer>());
            addServices(builder.Services);
            _face = builder.Build();
            _face.MapFace();
            _requests = _face.Services.GetRequiredService<IHttpContextAccessor>();
            Volatile.Write(ref _pipeline, ((IApplicationBuilder)_face.UseEndpoints(static _ => { })).Build());
        }
    }
}
