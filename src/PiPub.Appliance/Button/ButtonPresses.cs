using Microsoft.Extensions.Logging;
using PiPub.Appliance.Lights;
using PiPub.Node.Sentences;

namespace PiPub.Appliance.Button;

/// <summary>What the button does, by how long it was held. It is done when it is let go; meanwhile the lights show what it would be.</summary>
/// <param name="Claim">Pressed: the box can be claimed, or paired, for two minutes.</param>
/// <param name="Restart">Three seconds.</param>
/// <param name="Reset">Ten seconds: everything is erased.</param>
public sealed record ButtonActions(Action Claim, Action Restart, Action Reset);

/// <summary>Counts how long the button is held.</summary>
public sealed partial class ButtonPresses : IDisposable
{
    /// <summary>Held so long, it restarts the box.</summary>
    public static readonly TimeSpan ForRestart = TimeSpan.FromSeconds(3);

    /// <summary>Held so long, it erases everything.</summary>
    public static readonly TimeSpan ForReset = TimeSpan.FromSeconds(10);

    /// <summary>Held longer, it hangs, or something lies on it: nothing is done.</summary>
    public static readonly TimeSpan TooLong = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly IButton _button;
    private readonly StatusLights _lights;
    private readonly ButtonActions _actions;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly ILogger _logger;
    private long? _pressedAt;

    /// <summary>Begins to listen to a button.</summary>
    public ButtonPresses(IButton button, StatusLights lights, ButtonActions actions, TimeProvider time, ILogger<ButtonPresses> logger)
    {
        ArgumentNullException.ThrowIfNull(button);
        ArgumentNullException.ThrowIfNull(time);
        (_button, _lights, _actions, _time, _logger) = (button, lights, actions, time, logger);
        _timer = time.CreateTimer(static self => ((ButtonPresses)self!).Longer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        button.Changed += Changed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _button.Changed -= Changed;
        _timer.Dispose();
        _lights.ShowHeld(null);
    }

    private void Changed(bool isPressed)
    {
        Action? act = null;
        lock (_gate)
        {
            if (isPressed)
            {
                _pressedAt = _time.GetTimestamp();
                _lights.ShowHeld(LightState.Held);
                _ = _timer.Change(ForRestart, Timeout.InfiniteTimeSpan);
                return;
            }

            // A button that was down when the box started was not pressed.
            if (_pressedAt is { } at)
            {
                var held = _time.GetElapsedTime(at);
                act = held >= TooLong ? null : held >= ForReset ? _actions.Reset : held >= ForRestart ? _actions.Restart : _actions.Claim;
                Pressed(held.TotalSeconds);
            }

            _pressedAt = null;
            _ = _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _lights.ShowHeld(null);
        }

        try
        {
            act?.Invoke();
        }
        catch (Exception e) when (e is SaidException or IOException or UnauthorizedAccessException)
        {
            CouldNot(e.Message);
        }
    }

    private void Longer()
    {
        lock (_gate)
        {
            if (_pressedAt is not { } at)
            {
                return;
            }

            var held = _time.GetElapsedTime(at);
            var (state, next) = held >= TooLong ? ((LightState?)null, Timeout.InfiniteTimeSpan)
                : held >= ForReset ? (LightState.HeldForReset, TooLong - held)
                : (LightState.HeldForRestart, ForReset - held);
            _lights.ShowHeld(state);
            _ = _timer.Change(next, Timeout.InfiniteTimeSpan);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The button was held for {Seconds:0.0} seconds.")]
    private partial void Pressed(double seconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "What the button asks for cannot be done: {Problem}")]
    private partial void CouldNot(string problem);
}
