using Microsoft.Extensions.Logging;

namespace PiPub.Appliance.Lights;

/// <summary>
/// All lights of the box: those that show its state blink together, one timer for all, and none while they are steady; one may flicker
/// with messages. A light that does not answer any more is given up, which is logged once.
/// </summary>
public sealed partial class StatusLights : IDisposable
{
    private static readonly TimeSpan Flicker = TimeSpan.FromMilliseconds(40);

    private readonly Lock _gate = new();
    private readonly List<IStatusLight> _lights;
    private readonly ITimer _timer;
    private readonly ITimer _dark;
    private readonly ILogger _logger;
    private IStatusLight? _activity;
    private LightState _state;
    private LightState? _held;
    private LightState? _shown;
    private int _step;
    private bool _isDisposed;

    /// <summary>Begins with <see cref="LightState.Starting"/>.</summary>
    /// <param name="lights">Those that show the state.</param>
    /// <param name="activity">The one that flickers with messages; null for none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of lights that do not answer.</param>
    public StatusLights(IEnumerable<IStatusLight> lights, IStatusLight? activity, TimeProvider time, ILogger<StatusLights> logger)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_lights, _activity, _logger) = ([.. lights], activity, logger);
        _timer = time.CreateTimer(static self => ((StatusLights)self!).Step(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _dark = time.CreateTimer(static self => ((StatusLights)self!).Darken(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Show(LightState.Starting);
    }

    /// <summary>How many lights answer.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _lights.Count;
            }
        }
    }

    /// <summary>Whether one flickers with messages.</summary>
    public bool HasActivity => _activity is not null;

    /// <summary>Why a light was given up; null while all answer.</summary>
    public string? Problem { get; private set; }

    /// <summary>Shows a state, until another.</summary>
    public void Show(LightState state)
    {
        lock (_gate)
        {
            _state = state;
            Begin();
        }
    }

    /// <summary>Shows for how long the button has been held; null when it is let go.</summary>
    public void ShowHeld(LightState? held)
    {
        lock (_gate)
        {
            _held = held;
            Begin();
        }
    }

    /// <summary>Something came in or went out.</summary>
    public void Flash()
    {
        lock (_gate)
        {
            if (SetActivity(isLit: true))
            {
                _ = _dark.Change(Flicker, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _timer.Dispose();
            _dark.Dispose();
            foreach (var light in _activity is null ? _lights : [.. _lights, _activity])
            {
                _ = Set(light, isLit: false);
                LetGo(light);
            }

            _lights.Clear();
        }
    }

    private void Begin()
    {
        var wanted = _held ?? _state;
        if (wanted != _shown && !_isDisposed)
        {
            (_shown, _step) = (wanted, 0);
            Apply();
        }
    }

    private void Step()
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _step++;
                Apply();
            }
        }
    }

    private void Apply()
    {
        var pattern = LightPattern.Of(_shown!.Value);
        var at = _step % pattern.Count;
        foreach (var light in _lights.ToArray())
        {
            if (!Set(light, isLit: at % 2 == 0))
            {
                _ = _lights.Remove(light);
                LetGo(light);
            }
        }

        // Without lights, and where nothing changes, nothing wakes up.
        _ = _timer.Change(pattern.Count == 1 || _lights.Count == 0 ? Timeout.InfiniteTimeSpan : pattern[at], Timeout.InfiniteTimeSpan);
    }

    private void Darken()
    {
        lock (_gate)
        {
            _ = SetActivity(isLit: false);
        }
    }

    private bool SetActivity(bool isLit)
    {
        if (_activity is not { } light || _isDisposed)
        {
            return false;
        }

        if (Set(light, isLit))
        {
            return true;
        }

        _activity = null;
        LetGo(light);
        return false;
    }

    private static void LetGo(IStatusLight light)
    {
        try
        {
            light.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was told of when it did not answer.
        }
    }

    private bool Set(IStatusLight light, bool isLit)
    {
        try
        {
            light.Set(isLit);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Problem is null)
            {
                Problem = e.Message;
                NoAnswer(e.Message);
            }

            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A light does not answer, and is left alone from now on: {Problem}")]
    private partial void NoAnswer(string problem);
}
