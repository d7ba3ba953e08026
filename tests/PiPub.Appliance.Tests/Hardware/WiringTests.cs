using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Appliance.Display;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Lights;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Hardware;

public sealed class WiringTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Everything_that_can_be_wired_is_read()
    {
        var file = Read("chip = /dev/gpiochip4\nstatus-light = led ACT # green\nstatus-light = gpio 17 low\nactivity-light = gpio 27\nbutton = gpio 22 low\ndisplay = ssd1306 /dev/i2c-1 0x3d\n");
        Assert.Equal("/dev/gpiochip4", file.Chip);
        Assert.Equal([new LightWiring("ACT", 0, false), new LightWiring(null, 17, true)], file.Status);
        Assert.Equal(new LightWiring(null, 27, false), file.Activity);
        Assert.Equal((22, true, "/dev/i2c-1", 0x3d), (file.Button, file.IsButtonActiveLow, file.Display, file.DisplayAddress));
    }

    [Fact]
    public void The_file_of_the_image_can_be_read_and_wires_nothing_that_might_not_be_there()
    {
        var file = HardwareFile.Read(SourceTree.File("provisioning/hardware.conf"));
        Assert.NotEmpty(file.Status);
        Assert.All(file.Status, light => Assert.True(light.IsOptional));
        Assert.Equal((null, null, null), (file.Activity, file.Button, file.Display));
    }

    [Theory]
    [InlineData("status-light = gpio")]
    [InlineData("status-light = gpio -1")]
    [InlineData("status-light = led ../x")]
    [InlineData("button = led ACT")]
    [InlineData("display = ssd1306 /dev/i2c-1 3c")]
    [InlineData("lights = 3")]
    [InlineData("hello")]
    public void What_is_not_understood_is_told_with_its_line(string line) =>
        Assert.Contains("line 2", Assert.Throws<IOException>(() => Read("# mine\n" + line)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_screen_is_shown_what_changes_and_no_more_when_its_file_is_gone()
    {
        File.WriteAllText(In("hardware.conf"), $"screen = {In("screen")}\n");
        using var hardware = WiredHardware.Open(In("hardware.conf"), new ManualTime(), NullLoggerFactory.Instance);
        hardware.Show(["PiPub", "Code 1234"]);
        Assert.Equal("  PiPub\n  Code 1234\n", File.ReadAllText(In("screen")));
        File.Delete(In("screen"));
        hardware.Show(["PiPub", "Code 1234"]);
        Assert.False(File.Exists(In("screen")));
        Directory.CreateDirectory(In("screen"));
        hardware.Show(["PiPub"]);
        Assert.NotNull(hardware.Problem);
        Assert.Empty(hardware.Panels);
    }

    [Fact]
    public void What_is_not_there_is_told_once_and_everything_else_goes_on()
    {
        File.WriteAllText(In("hardware.conf"), $"status-light = gpio 17\nstatus-light = gpio 18\nactivity-light = gpio 27\nbutton = gpio 22\nchip = {In("gpiochip")}\n");
        using var logs = new Logs();
        using var hardware = WiredHardware.Open(In("hardware.conf"), new ManualTime(), logs);
        Assert.Single(logs.Lines);
        Assert.NotNull(hardware.Problem);
        Assert.Equal((0, null, 0), (hardware.Lights.Count, hardware.Button, hardware.Panels.Count));
        hardware.Show(["PiPub"]);
        hardware.Lights.Show(LightState.NeedsAttention);
        Assert.Single(logs.Lines);
    }

    [Fact]
    public void A_display_that_is_not_there_is_told_of()
    {
        File.WriteAllText(In("hardware.conf"), $"display = ssd1306 {In("i2c")} 0x3c\n");
        using var logs = new Logs();
        using var hardware = WiredHardware.Open(In("hardware.conf"), new ManualTime(), logs);
        Assert.Contains(In("i2c"), Assert.Single(logs.Lines), StringComparison.Ordinal);
        Assert.Empty(hardware.Panels);
    }

    [Fact]
    public void Without_any_wiring_there_is_nothing_to_say()
    {
        using var hardware = WiredHardware.Open(null, new ManualTime(), NullLoggerFactory.Instance);
        Assert.Null(hardware.Problem);
        Assert.Equal("No lights are wired to this machine.", hardware.CheckLights());
    }

    [Fact]
    public void The_boards_own_light_is_driven_through_the_kernel_and_given_back()
    {
        Directory.CreateDirectory(In("leds/ACT"));
        File.WriteAllText(In("leds/ACT/brightness"), "0");
        File.WriteAllText(In("leds/ACT/max_brightness"), "255\n");
        File.WriteAllText(In("leds/ACT/trigger"), "none [mmc0] timer\n");
        using (var light = new BoardLight("ACT", In("leds")))
        {
            // A file that is no kernel's keeps what stood behind; the kernel reads the word.
            Assert.StartsWith("none", File.ReadAllText(In("leds/ACT/trigger")), StringComparison.Ordinal);
            light.Set(isLit: true);
            Assert.Equal("255", File.ReadAllText(In("leds/ACT/brightness")));
            light.Set(isLit: false);
            Assert.StartsWith("0", File.ReadAllText(In("leds/ACT/brightness")), StringComparison.Ordinal);
        }

        Assert.StartsWith("mmc0", File.ReadAllText(In("leds/ACT/trigger")), StringComparison.Ordinal);
        Assert.Contains("ACT", Assert.Throws<IOException>(() => new BoardLight("led0", In("leds"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_display_shows_letters()
    {
        using var bus = new Bus();
        using var panel = new Ssd1306(bus);
        Assert.Equal(0x00, bus.Messages[0][0]);
        Assert.Equal(0xAF, bus.Messages[0][^1]);
        bus.Messages.Clear();
        panel.Show(["Hi", "", "Code 1234-5678 and more than fits"]);
        Assert.Equal([0x00, 0x21, 0, 127, 0x22, 0, 7], bus.Messages[0]);
        var pages = bus.Messages[1..];
        Assert.Equal(8, pages.Count);
        Assert.All(pages, page => Assert.Equal((129, 0x40), (page.Length, page[0])));
        Assert.Equal("""
            #...#...#.
            #...#.....
            #...#..##.
            #####...#.
            #...#...#.
            #...#...#.
            #...#..###
            """, Picture(pages[0], 10));
        Assert.All(pages[1].Skip(1), column => Assert.Equal(0, column));
        Assert.NotEqual(0, pages[2].Skip(1).Sum(column => column));
    }

    private static string Picture(byte[] page, int width)
    {
        var text = new StringBuilder();
        for (var row = 0; row < 7; row++)
        {
            for (var column = 0; column < width; column++)
            {
                text.Append((page[1 + column] >> row & 1) != 0 ? '#' : '.');
            }

            text.Append(row < 6 ? "\n" : "");
        }

        return text.ToString();
    }

    private HardwareFile Read(string text)
    {
        File.WriteAllText(In("hardware.conf"), text);
        return HardwareFile.Read(In("hardware.conf"));
    }

    private string In(string name) => Path.Combine(_directory, name);

    private sealed class Logs : ILoggerFactory, ILogger
    {
        public List<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Lines.Add(formatter(state, exception));

        public void Dispose()
        {
        }
    }

    private sealed class Bus : MemoryStream
    {
        public List<byte[]> Messages { get; } = [];

        public override void Write(byte[] buffer, int offset, int count) => Messages.Add(buffer[offset..(offset + count)]);

        public override void Write(ReadOnlySpan<byte> buffer) => Messages.Add(buffer.ToArray());
    }
}
