namespace PiPub.Appliance.Lights;

/// <summary>A light that the board has of its own, such as a Raspberry Pi's green one: the kernel's LED class.</summary>
/// <remarks>Reference: Linux, Documentation/leds/leds-class.rst. What drove it before (its trigger) gets it back at the end.</remarks>
public sealed class BoardLight : IStatusLight
{
    private readonly string _brightness;
    private readonly string _trigger;
    private readonly string _lit;
    private readonly string? _before;

    /// <summary>Takes it over.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="directory">Where lights are; the kernel's place.</param>
    /// <exception cref="IOException">There is none of that name.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be driven.</exception>
    public BoardLight(string name, string directory = "/sys/class/leds")
    {
        var light = Path.Combine(directory, name);
        (_brightness, _trigger) = (Path.Combine(light, "brightness"), Path.Combine(light, "trigger"));
        if (!File.Exists(_brightness))
        {
            throw new IOException($"There is no light {name}; the machine has {(Directory.Exists(directory) ? string.Join(", ", Directory.GetDirectories(directory).Select(Path.GetFileName)) : "none")}.");
        }

        var most = Path.Combine(light, "max_brightness");
        _lit = File.Exists(most) ? File.ReadAllText(most).Trim() : "1";
        if (File.Exists(_trigger))
        {
            var triggers = File.ReadAllText(_trigger);
            var from = triggers.IndexOf('[', StringComparison.Ordinal);
            var to = triggers.IndexOf(']', StringComparison.Ordinal);
            _before = from >= 0 && to > from ? triggers[(from + 1)..to] : null;
            Write(_trigger, "none");
        }
    }

    /// <summary>Whether the board has a light of that name.</summary>
    public static bool Exists(string name) => Directory.Exists(Path.Combine("/sys/class/leds", name));

    /// <inheritdoc/>
    public void Set(bool isLit) => Write(_brightness, isLit ? _lit : "0");

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_before is not null)
        {
            Write(_trigger, _before);
        }
    }

    // Not File.WriteAllText: the kernel's files are not to be cut.
    private static void Write(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
