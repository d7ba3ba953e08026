namespace PiPub.Web.Dashboard;

/// <summary>
/// Feels how the box is doing, once for all open pages together, and not at all while none is open.
/// </summary>
/// <param name="read">Reads how it is doing now.</param>
/// <param name="time">The clock.</param>
public sealed class BoxPulse(Func<BoxSnapshot> read, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly List<Func<BoxSnapshot, Task>> _watchers = [];
    private ITimer? _timer;

    /// <summary>Reads how the box is doing now.</summary>
    public BoxSnapshot Read() => read();

    /// <summary>Tells <paramref name="watcher"/> every two seconds, until the result is disposed of.</summary>
    public IDisposable Watch(Func<BoxSnapshot, Task> watcher)
    {
        lock (_gate)
        {
            _watchers.Add(watcher);
            _timer ??= time.CreateTimer(static pulse => ((BoxPulse)pulse!).Beat(), this, Pause, Pause);
        }

        return new Watching(this, watcher);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _watchers.Clear();
            _timer?.Dispose();
            _timer = null;
        }
    }

    private void Beat()
    {
        Func<BoxSnapshot, Task>[] watchers;
        lock (_gate)
        {
            watchers = [.. _watchers];
        }

        if (watchers.Length == 0)
        {
            return;
        }

        var now = read();
        foreach (var watcher in watchers)
        {
            _ = watcher(now);
        }
    }

    private void Forget(Func<BoxSnapshot, Task> watcher)
    {
        lock (_gate)
        {
            _ = _watchers.Remove(watcher);
            if (_watchers.Count == 0)
            {
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    private sealed class Watching(BoxPulse pulse, Func<BoxSnapshot, Task> watcher) : IDisposable
    {
        public void Dispose() => pulse.Forget(watcher);
    }
}
