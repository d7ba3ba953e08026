using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PiPub.Appliance.Display;

/// <summary>An OLED of 128 by 64 points with the controller SSD1306, at an I2C bus.</summary>
/// <remarks>
/// References: Solomon Systech SSD1306 rev. 1.1, table 9-1 and 10.1.3 (a page is eight rows; a byte is a column of it, its lowest bit on
/// top); Linux, Documentation/i2c/dev-interface.rst (ioctl I2C_SLAVE, 0x0703). A message begins with 0x00 before commands and
/// with 0x40 before points.
/// </remarks>
public sealed partial class Ssd1306 : IPanel
{
    private const int Width = 128;
    private const int Pages = 8;
    private const int LetterWidth = 6;
    private const nuint SetAddress = 0x0703;
    private const byte Commands = 0x00;
    private const byte Points = 0x40;

    // Off; clock; 64 rows; no offset; from row 0; charge pump on; horizontal addressing; as it is mounted; contrast low, for it never rests;
    // on. Then the whole window.
    private static readonly byte[] Begin =
    [
        Commands, 0xAE, 0xD5, 0x80, 0xA8, 0x3F, 0xD3, 0x00, 0x40, 0x8D, 0x14, 0x20, 0x00, 0xA1, 0xC8, 0xDA, 0x12, 0x81, 0x2F, 0xD9, 0xF1, 0xDB, 0x40, 0xA4, 0xA6, 0x2E, 0xAF,
    ];

    private static readonly byte[] Home = [Commands, 0x21, 0x00, Width - 1, 0x22, 0x00, Pages - 1];

    private readonly Stream _bus;

    /// <summary>Opens the bus and switches the display on.</summary>
    /// <param name="bus">Such as /dev/i2c-1.</param>
    /// <param name="address">7 bits, usually 0x3C.</param>
    /// <exception cref="IOException">There is no bus, or nobody answers at the address.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public Ssd1306(string bus, int address)
        : this(Open(bus, address))
    {
    }

    /// <summary>Switches on the display at the other end of a stream, in which each write is a message.</summary>
    internal Ssd1306(Stream bus)
    {
        _bus = bus;
        _bus.Write(Begin);
        Show([]);
    }

    /// <inheritdoc/>
    public int Columns => Width / LetterWidth;

    /// <inheritdoc/>
    public int Rows => Pages;

    /// <inheritdoc/>
    public void Show(IReadOnlyList<string> lines)
    {
        ArgumentNullException.ThrowIfNull(lines);
        _bus.Write(Home);
        Span<byte> page = stackalloc byte[1 + Width];
        for (var row = 0; row < Pages; row++)
        {
            page.Clear();
            page[0] = Points;
            var text = row < lines.Count ? lines[row] : "";
            for (var column = 0; column < Math.Min(text.Length, Columns); column++)
            {
                SmallFont.Letter(text[column]).CopyTo(page[(1 + (column * LetterWidth))..]);
            }

            _bus.Write(page);
        }
    }

    /// <summary>Switches it off: what stands on an OLED for years burns in.</summary>
    public void Dispose()
    {
        try
        {
            _bus.Write([Commands, 0xAE]);
        }
        catch (IOException)
        {
            // It is gone already.
        }

        _bus.Dispose();
    }

    private static FileStream Open(string bus, int address)
    {
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(bus, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return ioctl(file, SetAddress, address) == 0
                ? new FileStream(file, FileAccess.Write, bufferSize: 0)
                : throw new IOException($"Nobody can be spoken to at 0x{address:x2} of {bus}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}.");
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeFileHandle file, nuint request, nint argument);
}
