using System.Runtime.InteropServices;
using PiPub.Appliance.Hardware;

namespace PiPub.Appliance.Button;

/// <summary>A button at a GPIO line. A thread sleeps until the kernel tells of an edge.</summary>
/// <remarks>
/// What the contacts do while they bounce is waited out, then the line is asked how it stands. Reference: poll(2), eventfd(2).
/// </remarks>
public sealed partial class GpioButton : IButton
{
    private const int Bounce = 20;
    private const int EventsAtOnce = 64;
    private const short ReadyToRead = 1;

    private readonly uint _line;
    private readonly IntPtr _request;
    private readonly IntPtr _events;
    private readonly int _stop;
    private readonly Thread _thread;
    private bool _isPressed;

    /// <summary>Takes the line and begins to listen.</summary>
    /// <exception cref="IOException">It cannot be had.</exception>
    /// <exception cref="DllNotFoundException">libgpiod is not installed.</exception>
    public GpioButton(string chip, int line, bool isActiveLow)
    {
        (_line, _request) = ((uint)line, GpioLibrary.Request(chip, line, isActiveLow, isOutput: false));
        _events = GpioLibrary.gpiod_edge_event_buffer_new(EventsAtOnce);
        _stop = eventfd(0, 0x80000);
        _isPressed = GpioLibrary.gpiod_line_request_get_value(_request, _line) == 1;
        _thread = new Thread(Listen, maxStackSize: 256 * 1024) { IsBackground = true, Name = "button" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public event Action<bool>? Changed;

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = write(_stop, 1, 8);
        _thread.Join();
        GpioLibrary.gpiod_edge_event_buffer_free(_events);
        GpioLibrary.gpiod_line_request_release(_request);
        _ = close(_stop);
    }

    private void Listen()
    {
        Span<Polled> polled = [new Polled { File = GpioLibrary.gpiod_line_request_get_fd(_request), Wanted = ReadyToRead }, new Polled { File = _stop, Wanted = ReadyToRead }];
        while (true)
        {
            if (poll(ref polled[0], 2, -1) < 0)
            {
                continue;
            }

            if (polled[1].Happened != 0)
            {
                return;
            }

            Thread.Sleep(Bounce);
            if (GpioLibrary.gpiod_line_request_read_edge_events(_request, _events, EventsAtOnce) < 0)
            {
                return;
            }

            var isPressed = GpioLibrary.gpiod_line_request_get_value(_request, _line) == 1;
            if (isPressed != _isPressed)
            {
                _isPressed = isPressed;
                Changed?.Invoke(isPressed);
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(ref Polled files, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint value, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int file, in ulong value, nuint length);

    [LibraryImport("libc")]
    private static partial int close(int file);

    [StructLayout(LayoutKind.Sequential)]
    private struct Polled
    {
        public int File;
        public short Wanted;
        public short Happened;
    }
}
