using Microsoft.Extensions.Logging;
using PiPub.Appliance.Button;
using PiPub.Appliance.Display;
using PiPub.Appliance.Lights;

namespace PiPub.Appliance.Hardware;

/// <summary>
/// Lights, button and display as far as they are wired and answer. What is not there is told once, and everything else goes on.
/// </summary>
public sealed partial class WiredHardware : IDisposable
{
    private const string NoLibrary = "libgpiod 2 (libgpiod.so.3) is not installed.";

    private readonly ILogger _logger;
    private bool _isLibraryMissing;
    private readonly List<IPanel> _panels;
    private IReadOnlyList<string> _shown = [];

    private WiredHardware(StatusLights lights, IButton? button, List<IPanel> panels, ILogger logger) =>
        (Lights, Button, _panels, _logger) = (lights, button, panels, logger);

    /// <summary>The lights; none is fine, too.</summary>
    public StatusLights Lights { get; }

    /// <summary>The button; null for none.</summary>
    public IButton? Button { get; }

    /// <summary>The display and the screen, as far as there are any.</summary>
    public IReadOnlyList<IPanel> Panels => _panels;

    /// <summary>What is wired and does not answer; null when all does.</summary>
    public string? Problem { get; private set; }

    /// <summary>Whether the lights run: whatever was opened still answers, and nothing was wanting to open it.</summary>
    /// <returns>What was seen, in words.</returns>
    /// <exception cref="IOException">They do not.</exception>
    public string CheckLights() =>
        _isLibraryMissing ? throw new IOException(NoLibrary)
        : Lights.Problem is { } problem ? throw new IOException("A light does not answer: " + problem)
        : Lights.Count switch
        {
            0 => "No lights are wired to this machine.",
            1 => "The light runs.",
            var count => $"The {count} lights run.",
        };

    /// <summary>Opens what a file names.</summary>
    /// <param name="path">The file; null for nothing.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Told what does not answer.</param>
    public static WiredHardware Open(string? path, TimeProvider time, ILoggerFactory logs)
    {
        var logger = logs.CreateLogger<WiredHardware>();
        string? problem = null;
        var file = Try(() => HardwareFile.Read(path)) ?? HardwareFile.Nothing;
        var lights = file.Status.Where(static wiring => !wiring.IsOptional || BoardLight.Exists(wiring.Led!)).Select(wiring => Try(() => Light(file.Chip, wiring))).OfType<IStatusLight>().ToList();
        var activity = file.Activity is { } flicker ? Try(() => Light(file.Chip, flicker)) : null;
        var button = file.Button is { } line ? Try<IButton>(() => new GpioButton(file.Chip, line, file.IsButtonActiveLow)) : null;
        var display = file.Display is { } bus ? Try<IPanel>(() => new Ssd1306(bus, file.DisplayAddress)) : null;
        List<IPanel> panels = [.. display is null ? (IPanel[])[] : [display], .. file.Screen is null ? (IPanel[])[] : [new ScreenFile(file.Screen)]];
        return new WiredHardware(new StatusLights(lights, activity, time, logs.CreateLogger<StatusLights>()), button, panels, logger) { Problem = problem, _isLibraryMissing = problem == NoLibrary };

        T? Try<T>(Func<T> open)
            where T : class
        {
            try
            {
                return open();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException)
            {
                var words = e is DllNotFoundException ? NoLibrary : e.Message;
                if (words != problem)
                {
                    NotThere(logger, words);
                }

                problem ??= words;
                return null;
            }
        }
    }

    /// <summary>Shows lines on the display and the screen, if they are others than before.</summary>
    public void Show(IReadOnlyList<string> lines)
    {
        if (lines.SequenceEqual(_shown, StringComparer.Ordinal))
        {
            return;
        }

        _shown = lines;
        for (var i = _panels.Count - 1; i >= 0; i--)
        {
            try
            {
                _panels[i].Show(lines);
            }
            catch (IOException e)
            {
                NotThere(_logger, "The display does not answer: " + e.Message);
                Problem ??= e.Message;
                _panels[i].Dispose();
                _panels.RemoveAt(i);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Button?.Dispose();
        Lights.Dispose();
        _panels.ForEach(static panel => panel.Dispose());
    }

    private static IStatusLight Light(string chip, LightWiring wiring) =>
        wiring.Led is { } name ? new BoardLight(name) : new GpioLight(chip, wiring.Line, wiring.IsActiveLow);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Something that hardware.conf names cannot be used; the box goes on without it. {Problem}")]
    private static partial void NotThere(ILogger logger, string problem);
}
