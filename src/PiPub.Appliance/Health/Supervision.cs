using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace PiPub.Appliance.Health;

/// <summary>
/// The box under systemd: says when it is ready, what it does, and, as often as the watchdog wants it, that it is well. When it
/// is not well it is silent, and systemd ends it and begins it anew. Without systemd it does nothing.
/// </summary>
/// <remarks>
/// References: sd_notify(3), sd_watchdog_enabled(3). While the box starts, stops or is between two lives nobody can be asked; then
/// it counts as well for as long as was promised for that work.
/// </remarks>
public sealed partial class Supervision : IDisposable
{
    private readonly NotifySocket? _manager;
    private readonly TimeSpan? _every;
    private readonly TimeProvider _time;
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stopping = new();
    private Func<CancellationToken, Task<string?>>? _problem;
    private ILogger? _logger;
    private string _status = "";
    private string? _said;
    private long _busySince;
    private TimeSpan _busyFor;
    private bool _isLooking;

    /// <summary>Begins.</summary>
    /// <param name="manager">Who is told; null for nobody.</param>
    /// <param name="watchdog">After what silence the manager ends the process; null when it does not watch.</param>
    /// <param name="time">The clock.</param>
    public Supervision(NotifySocket? manager, TimeSpan? watchdog, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_manager, _time, _busySince) = (manager, time, time.GetTimestamp());
        if (manager is not null && watchdog is { } limit)
        {
            // A third: one look may fail or be slow, and still be in time.
            _every = limit / 3;
            _timer = time.CreateTimer(static self => _ = ((Supervision)self!).LookAsync(), this, _every.Value, _every.Value);
        }
    }

    /// <summary>As the environment of the process says: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID.</summary>
    public static Supervision FromEnvironment(IDictionary environment, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var isForUs = environment["WATCHDOG_PID"] is not string pid || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        TimeSpan? watchdog = isForUs && environment["WATCHDOG_USEC"] is string text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;
        return new Supervision(environment["NOTIFY_SOCKET"] is string { Length: > 1 } address && address[0] is '/' or '@' ? new NotifySocket(address) : null, watchdog, time);
    }

    /// <summary>The box works and cannot be asked meanwhile.</summary>
    /// <param name="status">What it does, for a person.</param>
    /// <param name="patience">How long that may take from now on; say it again where it goes on.</param>
    public void Busy(string status, TimeSpan patience)
    {
        lock (_gate)
        {
            (_problem, _status, _busySince, _busyFor) = (null, status, _time.GetTimestamp(), patience);
            Say(status, string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={(long)patience.TotalMicroseconds}\nWATCHDOG=1"));
        }
    }

    /// <summary>The box listens, and from now on is asked.</summary>
    /// <param name="status">What it does, for a person.</param>
    /// <param name="problem">What is wrong with it; null when it is well.</param>
    /// <param name="logger">Told when it is not.</param>
    public void Ready(string status, Func<CancellationToken, Task<string?>> problem, ILogger logger)
    {
        lock (_gate)
        {
            (_problem, _status, _logger) = (problem, status, logger);
            Say(status, "READY=1\nWATCHDOG=1");
        }
    }

    /// <summary>The box ends for good.</summary>
    /// <param name="patience">How long that may take.</param>
    public void Stopping(TimeSpan patience)
    {
        Busy("Stopping.", patience);
        _manager?.Send("STOPPING=1");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        _timer?.Dispose();
        _manager?.Dispose();
        _stopping.Dispose();
    }

    private async Task LookAsync()
    {
        Func<CancellationToken, Task<string?>> look;
        lock (_gate)
        {
            if (_problem is null)
            {
                if (_time.GetElapsedTime(_busySince) < _busyFor)
                {
                    Say(_status, "WATCHDOG=1");
                }

                return;
            }

            if (_isLooking)
            {
                return;
            }

            (_isLooking, look) = (true, _problem);
        }

        try
        {
            var problem = await look(_stopping.Token);
            lock (_gate)
            {
                if (ReferenceEquals(look, _problem))
                {
                    Say(problem is null ? _status : "Not well: " + problem, problem is null ? "WATCHDOG=1" : null);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // That life is over, or the process.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            CannotLook(_logger!, e);
        }
        finally
        {
            lock (_gate)
            {
                _isLooking = false;
            }
        }
    }

    /// <summary>The words only when they are others: systemd writes each into its journal.</summary>
    private void Say(string status, string? further)
    {
        var words = status.ReplaceLineEndings(" ");
        var lines = words == _said ? further : $"STATUS={words}\n{further}".TrimEnd('\n');
        _said = words;
        if (lines is not null)
        {
            _ = _manager?.Send(lines);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The box could not see whether it is well; the watchdog is not told anything.")]
    private static partial void CannotLook(ILogger logger, Exception e);
}
