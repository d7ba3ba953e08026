namespace PiPub.Node.Discovery.Mdns;

/// <summary>
/// Has a registration made again when it does not come to its end. avahi-daemon 0.8 forgets to go on with one when an interface
/// loses its address meanwhile, as happens while a machine starts: the records are then never answered for, on any interface.
/// Only for the loop's thread.
/// </summary>
/// <param name="loop">Where it is made again.</param>
/// <param name="again">Makes it again.</param>
/// <param name="time">The clock.</param>
internal sealed class RegistrationWatch(AvahiLoop loop, Action again, TimeProvider time) : IDisposable
{
    /// <summary>Claiming a name takes a second, with its conflicts a few (RFC 6762 section 8.1).</summary>
    private static readonly TimeSpan First = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Last = TimeSpan.FromMinutes(5);

    private ITimer? _timer;
    private TimeSpan _patience = First;

    /// <summary>It has begun.</summary>
    public void Begun()
    {
        if (_timer is null)
        {
            _timer = time.CreateTimer(_ => loop.Post(LookAfter), null, _patience, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>It has come to its end, in whatever way.</summary>
    public void Ended()
    {
        Dispose();
        _patience = First;
    }

    /// <summary>Watches no longer.</summary>
    public void Dispose()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void LookAfter()
    {
        if (_timer is not null)
        {
            Dispose();
            _patience = _patience * 2 < Last ? _patience * 2 : Last;
            again();
        }
    }
}
