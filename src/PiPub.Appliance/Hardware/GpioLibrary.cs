using System.ComponentModel;
using System.Runtime.InteropServices;

namespace PiPub.Appliance.Hardware;

/// <summary>libgpiod, which speaks with the kernel's GPIO character device.</summary>
/// <remarks>Reference: libgpiod 2.2, gpiod.h. Its library is <c>libgpiod.so.3</c>; <c>libgpiod.so.2</c> is the first API, which is another one.</remarks>
internal static partial class GpioLibrary
{
    private const string Library = "libgpiod.so.3";

    public enum Direction
    {
        Input = 2,
        Output = 3,
    }

    public enum Edge
    {
        Both = 4,
    }

    public enum Bias
    {
        PullUp = 4,
        PullDown = 5,
    }

    /// <summary>Requests one line.</summary>
    /// <returns>The request; what it is asked is done at once.</returns>
    /// <exception cref="IOException">There is no such line, or somebody else has it.</exception>
    public static IntPtr Request(string chipPath, int line, bool isActiveLow, bool isOutput)
    {
        var (chip, settings, lines, consumer) = (IntPtr.Zero, IntPtr.Zero, IntPtr.Zero, IntPtr.Zero);
        try
        {
            chip = NotNull(gpiod_chip_open(chipPath), chipPath);
            settings = NotNull(gpiod_line_settings_new(), "its settings");
            _ = gpiod_line_settings_set_direction(settings, isOutput ? Direction.Output : Direction.Input);
            gpiod_line_settings_set_active_low(settings, isActiveLow);
            if (!isOutput)
            {
                _ = gpiod_line_settings_set_edge_detection(settings, Edge.Both);
                _ = gpiod_line_settings_set_bias(settings, isActiveLow ? Bias.PullUp : Bias.PullDown);
            }

            lines = NotNull(gpiod_line_config_new(), "its configuration");
            uint[] offsets = [(uint)line];
            if (gpiod_line_config_add_line_settings(lines, offsets, 1, settings) != 0)
            {
                throw Failed($"line {line} of {chipPath}");
            }

            consumer = NotNull(gpiod_request_config_new(), "its request");
            gpiod_request_config_set_consumer(consumer, "pipub");
            return NotNull(gpiod_chip_request_lines(chip, consumer, lines), $"line {line} of {chipPath}");
        }
        finally
        {
            Free(consumer, gpiod_request_config_free);
            Free(lines, gpiod_line_config_free);
            Free(settings, gpiod_line_settings_free);
            Free(chip, gpiod_chip_close);
        }
    }

    private static void Free(IntPtr pointer, Action<IntPtr> free)
    {
        if (pointer != IntPtr.Zero)
        {
            free(pointer);
        }
    }

    private static IntPtr NotNull(IntPtr pointer, string what) => pointer != IntPtr.Zero ? pointer : throw Failed(what);

    private static IOException Failed(string what) => new($"GPIO: {what} cannot be used: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");

    [LibraryImport(Library, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial IntPtr gpiod_chip_open(string path);

    [LibraryImport(Library)]
    private static partial void gpiod_chip_close(IntPtr chip);

    [LibraryImport(Library, SetLastError = true)]
    private static partial IntPtr gpiod_line_settings_new();

    [LibraryImport(Library)]
    private static partial void gpiod_line_settings_free(IntPtr settings);

    [LibraryImport(Library)]
    private static partial int gpiod_line_settings_set_direction(IntPtr settings, Direction direction);

    [LibraryImport(Library)]
    private static partial int gpiod_line_settings_set_edge_detection(IntPtr settings, Edge edge);

    [LibraryImport(Library)]
    private static partial int gpiod_line_settings_set_bias(IntPtr settings, Bias bias);

    [LibraryImport(Library)]
    private static partial void gpiod_line_settings_set_active_low(IntPtr settings, [MarshalAs(UnmanagedType.I1)] bool activeLow);

    [LibraryImport(Library, SetLastError = true)]
    private static partial IntPtr gpiod_line_config_new();

    [LibraryImport(Library)]
    private static partial void gpiod_line_config_free(IntPtr config);

    [LibraryImport(Library, SetLastError = true)]
    private static partial int gpiod_line_config_add_line_settings(IntPtr config, uint[] offsets, nuint count, IntPtr settings);

    [LibraryImport(Library, SetLastError = true)]
    private static partial IntPtr gpiod_request_config_new();

    [LibraryImport(Library)]
    private static partial void gpiod_request_config_free(IntPtr config);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial void gpiod_request_config_set_consumer(IntPtr config, string consumer);

    [LibraryImport(Library, SetLastError = true)]
    private static partial IntPtr gpiod_chip_request_lines(IntPtr chip, IntPtr requestConfig, IntPtr lineConfig);

    [LibraryImport(Library)]
    internal static partial void gpiod_line_request_release(IntPtr request);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int gpiod_line_request_set_value(IntPtr request, uint offset, int value);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int gpiod_line_request_get_value(IntPtr request, uint offset);

    [LibraryImport(Library)]
    internal static partial int gpiod_line_request_get_fd(IntPtr request);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial int gpiod_line_request_read_edge_events(IntPtr request, IntPtr buffer, nuint max);

    [LibraryImport(Library, SetLastError = true)]
    internal static partial IntPtr gpiod_edge_event_buffer_new(nuint capacity);

    [LibraryImport(Library)]
    internal static partial void gpiod_edge_event_buffer_free(IntPtr buffer);
}
