using Microsoft.Extensions.Logging;

namespace PiPub.Composition;

/// <summary>Work that goes on beside everything else until the box stops. When it fails it is logged and begun again.</summary>
internal sealed partial class Background : IAsyncDisposable
{
    private static readonly TimeSpan AgainAfter = TimeSpan.FromSeconds(30);

    private readonly ILogger _logger;
    private readonly Task _running;

    public Background(Func<CancellationToken, Task> work, CancellationTokenSource stopping, ILogger logger)
    {
        _logger = logger;
        _running = Task.Run(() => RunAsync(work, stopping.Token));
    }

    public ValueTask DisposeAsync() => new(_running);

    private async Task RunAsync(Func<CancellationToken, Task> work, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await work(stopping);
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                Failed(e);
            }

            await Task.Delay(AgainAfter, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Something that runs beside the node failed; it begins again in half a minute.")]
    private partial void Failed(Exception e);
}
