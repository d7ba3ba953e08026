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
    private IReadOnlyList<string> _shown = [];

    private WiredHardware(StatusLights lights, IButton? button, IPanel? panel, ILogger logger) =>
        (Lights, Button, Panel, _logger) = (lights, button, panel, logger);

    /// <summary>The lights; none is fine, too.</summary>
    public StatusLights Lights { get; }

    /// <summary>The button; null for none.</summary>
    public IButton? Button { get; }

    /// <summary>The display; null for none.</summary>
    public IPanel? Panel { get; private set; }

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
        var panel = file.Display is { } bus ? Try<IPanel>(() => new Ssd1306(bus, file.DisplayAddress)) : null;
        return new WiredHardware(new StatusLights(lights, activity, time, logs.CreateLogger<StatusLights>()), button, panel, logger) { Problem = problem, _isLibraryMissing = problem == NoLibrary };

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

    /// <summary>Shows lines on the display, if there is one and they are others than before.</summary>
    public void Show(IReadOnlyList<string> lines)
    {
        if (Panel is null || lines.SequenceEqual(_shown, StringComparer.Ordinal))
        {
            return;
        }

        try
        {
            Panel.Show(lines);
            _shown = lines;
        }
        catch (IOException e)
        {
            NotThere(_logger, "The display does not answer: " + e.Message);
            Problem ??= e.Message;
            Panel.Dispose();
            Panel = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Button?.Dispose();
        Lights.Dispose();
        Panel?.Dispose();
    }

    private static IStatusLight Light(string chip, LightWiring wiring) =>
        wiring.Led is { } name ? new BoardLight(name) : new GpioLight(chip, wiring.Line, wiring.IsActiveLow);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Something that hardware.conf names cannot be used; the box goes on without it. {Problem}")]
    private static partial void NotThere(ILogger logger, string problem);
}
