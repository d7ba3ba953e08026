namespace PiPub.Node.Peers;

/// <summary>
/// Calls back after one fixed delay, however many wait, with one timer for all, which only runs while somebody waits. The delay may
/// be longer by a tenth.
/// </summary>
internal sealed class SharedDelay : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<(long Since, WeakReference<Action> Callback)> _waiting = new();
    private readonly TimeSpan _delay;
    private readonly TimeSpan _pause;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    public SharedDelay(TimeSpan delay, TimeProvider time)
    {
        _delay = delay;
        _pause = delay / 10;
        _time = time;
        _timer = time.CreateTimer(static shared => ((SharedDelay)shared!).Sweep(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Calls <paramref name="callback"/> once, later, if its owner still holds it then.</summary>
    public void Call(Action callback)
    {
        lock (_gate)
        {
            _waiting.Enqueue((_time.GetTimestamp(), new WeakReference<Action>(callback)));
            if (_waiting.Count == 1)
            {
                _ = _timer.Change(_delay, _pause);
            }
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Sweep()
    {
        while (true)
        {
            Action? callback;
            lock (_gate)
            {
                if (!_waiting.TryPeek(out var first))
                {
                    _ = _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                    return;
                }

                if (_time.GetElapsedTime(first.Since) < _delay)
                {
                    return;
                }

                _ = _waiting.Dequeue();
                _ = first.Callback.TryGetTarget(out callback);
            }

            callback?.Invoke();
        }
    }
}
