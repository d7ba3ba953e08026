using System.Globalization;

namespace PiPub.Appliance.Hardware;

/// <summary>A light: one of the board's own, through the kernel's LED class, or one at a GPIO line.</summary>
/// <param name="Led">The name in /sys/class/leds; null for a line.</param>
/// <param name="Line">The line's number on the chip.</param>
/// <param name="IsActiveLow">Whether it is lit when the line is low.</param>
/// <param name="IsOptional">Whether it is fine that the board has none of that name.</param>
public sealed record LightWiring(string? Led, int Line, bool IsActiveLow, bool IsOptional = false);

/// <summary>What is wired to the machine: the file <c>hardware.conf</c>.</summary>
/// <param name="Chip">The GPIO chip, such as /dev/gpiochip0.</param>
/// <param name="Status">Lights that show how the box is doing.</param>
/// <param name="Activity">The light that flickers with messages; null for none.</param>
/// <param name="Button">The button's line; null for none.</param>
/// <param name="IsButtonActiveLow">Whether the button pulls its line down when pressed.</param>
/// <param name="Display">The display's bus, such as /dev/i2c-1; null for none.</param>
/// <param name="DisplayAddress">Its address on the bus.</param>
/// <param name="Screen">The file whose text is shown on a screen that is plugged in; null for none.</param>
/// <remarks>
/// Lines <c>key = value</c>, <c>#</c> begins a comment. <c>status-light</c> (as often as there are lights) and <c>activity-light</c>:
/// <c>led NAME</c>, <c>led NAME optional</c>, <c>gpio LINE</c>, <c>gpio LINE low</c> or <c>none</c>. <c>button</c>: <c>gpio LINE</c> (pressed is high), <c>gpio LINE low</c> or
/// <c>none</c>. <c>display</c>: <c>ssd1306 /dev/i2c-1 0x3c</c> or <c>none</c>. <c>screen</c>: <c>/run/pipub/screen</c> or <c>none</c>. <c>chip</c>: <c>/dev/gpiochip0</c>.
/// </remarks>
public sealed record HardwareFile(string Chip, IReadOnlyList<LightWiring> Status, LightWiring? Activity, int? Button, bool IsButtonActiveLow, string? Display, int DisplayAddress, string? Screen)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "hardware.conf";

    private const int MaxBytes = 64 * 1024;
    private const int MostLines = 1024;

    /// <summary>Nothing is wired.</summary>
    public static HardwareFile Nothing { get; } = new("/dev/gpiochip0", [], null, null, true, null, 0x3c, null);

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file; null, or one that is not there, stands for nothing being wired.</param>
    /// <exception cref="IOException">It cannot be used; the message names the line.</exception>
    public static HardwareFile Read(string? path)
    {
        var file = Nothing;
        if (path is null || !File.Exists(path))
        {
            return file;
        }

        if (new FileInfo(path).Length > MaxBytes)
        {
            throw new IOException($"{path} is too large to be a list of wires.");
        }

        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            var text = line.Split('#')[0].Trim();
            if (text.Length == 0)
            {
                continue;
            }

            var equals = text.IndexOf('=', StringComparison.Ordinal);
            var (key, words) = equals > 0 ? (text[..equals].Trim(), text[(equals + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)) : ("", []);
            file = With(file, key, words) ?? throw new IOException($"{path}, line {number}: \"{text}\" is not understood. The file that comes with the image says what can be written.");
        }

        return file;
    }

    private static HardwareFile? With(HardwareFile file, string key, string[] words) => (key, words) switch
    {
        ("chip", [var chip]) when chip.StartsWith('/') => file with { Chip = chip },
        ("status-light", ["none"]) => file,
        ("status-light", _) when Light(words) is { } light => file with { Status = [.. file.Status, light] },
        ("activity-light", ["none"]) => file with { Activity = null },
        ("activity-light", _) when Light(words) is { } light => file with { Activity = light },
        ("button", ["none"]) => file with { Button = null },
        ("button", ["gpio", ..]) when Light(words) is { } line => file with { Button = line.Line, IsButtonActiveLow = line.IsActiveLow },
        ("display", ["none"]) => file with { Display = null },
        ("display", ["ssd1306", var bus, var address]) when bus.StartsWith('/') && address.StartsWith("0x", StringComparison.Ordinal)
            && int.TryParse(address.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 128 => file with { Display = bus, DisplayAddress = number },
        ("screen", ["none"]) => file with { Screen = null },
        ("screen", [var text]) when text.StartsWith('/') => file with { Screen = text },
        _ => null,
    };

    private static LightWiring? Light(string[] words) => words switch
    {
        ["led", var name] when !name.Contains('/') && name[0] != '.' => new LightWiring(name, 0, false),
        ["led", var name, "optional"] when !name.Contains('/') && name[0] != '.' => new LightWiring(name, 0, false, IsOptional: true),
        ["gpio", var line] when Number(line) is { } number => new LightWiring(null, number, false),
        ["gpio", var line, "low"] when Number(line) is { } number => new LightWiring(null, number, true),
        ["gpio", var line, "high"] when Number(line) is { } number => new LightWiring(null, number, false),
        _ => null,
    };

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < MostLines ? number : null;
}
