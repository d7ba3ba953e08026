using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// The one thread on which libavahi is used: it sleeps until D-Bus has something or work is posted, and costs nothing
/// meanwhile. Callbacks of the library only post work, so that nothing is freed while the library is still in it.
/// </summary>
internal sealed partial class AvahiLoop : IDisposable
{
    private const int StackBytes = 256 * 1024;
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Action> _work = new();
    private readonly Lock _gate = new();
    private readonly Thread _thread;
    private readonly ILogger _logger;
    private readonly nint _poll;
    private bool _isOver;

    /// <summary>Begins with nothing to do.</summary>
    /// <exception cref="DllNotFoundException">libavahi is not installed.</exception>
    public AvahiLoop(ILogger logger)
    {
        _logger = logger;
        _poll = AvahiApi.avahi_simple_poll_new();
        if (_poll == 0)
        {
            throw new InvalidOperationException("libavahi could not make its event loop.");
        }

        PollApi = AvahiApi.avahi_simple_poll_get(_poll);
        _thread = new Thread(Run, StackBytes) { IsBackground = true, Name = "avahi" };
        _thread.Start();
    }

    /// <summary>What the library's clients are tied to.</summary>
    public nint PollApi { get; }

    /// <summary>Has work done on the thread, after what was posted before. Does nothing once the loop is over.</summary>
    public void Post(Action work)
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                _work.Enqueue(work);
                AvahiApi.avahi_simple_poll_wakeup(_poll);
            }
        }
    }

    /// <summary>Does what was posted and ends the thread. A daemon that hangs is waited for a little, then left to itself.</summary>
    public void Dispose()
    {
        Post(End);
        if (!_thread.Join(StopWithin))
        {
            StillBusy();
        }
    }

    private void End()
    {
        lock (_gate)
        {
            _isOver = true;
        }
    }

    private void Run()
    {
        var isWell = true;
        while (isWell && !_isOver)
        {
            while (!_isOver && _work.TryDequeue(out var work))
            {
                Do(work);
            }

            isWell = _isOver || Iterate();
        }

        if (!isWell)
        {
            Broken();
            End();
        }

        AvahiApi.avahi_simple_poll_free(_poll);
    }

    private bool Iterate()
    {
        if (AvahiApi.avahi_simple_poll_prepare(_poll, -1) != 0)
        {
            return false;
        }

        if (!_work.IsEmpty)
        {
            // Preparing forgets earlier wake-ups; what was posted just before it must not wait for the next.
            AvahiApi.avahi_simple_poll_wakeup(_poll);
        }

        return AvahiApi.avahi_simple_poll_run(_poll) == 0 && AvahiApi.avahi_simple_poll_dispatch(_poll) == 0;
    }

    private void Do(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Failed(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Something about mDNS failed; the rest goes on.")]
    private partial void Failed(Exception e);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The event loop of libavahi broke: the box has no mDNS until it is started again.")]
    private partial void Broken();

    [LoggerMessage(Level = LogLevel.Debug, Message = "avahi-daemon does not answer; it is not waited for any longer.")]
    private partial void StillBusy();
}
