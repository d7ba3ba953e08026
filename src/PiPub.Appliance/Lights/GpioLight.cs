using System.ComponentModel;
using System.Runtime.InteropServices;
using PiPub.Appliance.Hardware;

namespace PiPub.Appliance.Lights;

/// <summary>A light at a GPIO line, with a resistor to ground (or, active low, to the supply).</summary>
public sealed class GpioLight : IStatusLight
{
    private readonly Lock _gate = new();
    private readonly uint _line;
    private IntPtr _request;

    /// <summary>Takes the line.</summary>
    /// <exception cref="IOException">It cannot be had.</exception>
    /// <exception cref="DllNotFoundException">libgpiod is not installed.</exception>
    public GpioLight(string chip, int line, bool isActiveLow) =>
        (_line, _request) = ((uint)line, GpioLibrary.Request(chip, line, isActiveLow, isOutput: true));

    /// <inheritdoc/>
    public void Set(bool isLit)
    {
        lock (_gate)
        {
            if (_request != IntPtr.Zero && GpioLibrary.gpiod_line_request_set_value(_request, _line, isLit ? 1 : 0) != 0)
            {
                throw new IOException($"The light at line {_line} does not answer: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_request != IntPtr.Zero)
            {
                GpioLibrary.gpiod_line_request_release(_request);
                _request = IntPtr.Zero;
            }
        }
    }
}
