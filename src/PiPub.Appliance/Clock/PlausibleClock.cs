using System.Globalization;
using System.Runtime.InteropServices;
using PiPub.Node.Sentences;

namespace PiPub.Appliance.Clock;

/// <summary>
/// Whether the machine's clock can be believed. A small computer without a clock chip begins anywhere in the past until the network
/// tells it the time; a message signed then would carry that time for good.
/// </summary>
/// <remarks>
/// The clock is believed when the machine says that it was set from the network, or else when it is not before the program's own date,
/// the last time that the box has known, and its newest message. That last time is the date of the file <c>clock</c> in the data
/// directory, written once a day and at the end: one small write. References: adjtimex(2), systemd-timesyncd.service(8).
/// </remarks>
/// <param name="directory">The data directory.</param>
/// <param name="built">The program's own date.</param>
/// <param name="newest">The time in the box's newest message; null when there is none.</param>
/// <param name="isSet">Whether the machine says that its clock was set from the network.</param>
/// <param name="time">The clock.</param>
public sealed partial class PlausibleClock(string directory, DateTimeOffset built, Func<DateTimeOffset?> newest, Func<bool> isSet, TimeProvider time) : IDisposable
{
    /// <summary>The file's name.</summary>
    public const string FileName = "clock";

    private const string SetFromNetwork = "/run/systemd/timesync/synchronized";
    private const int NotSynchronized = 5;

    /// <summary>Clocks are set back a little now and then.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromHours(1);

    private static readonly TimeSpan KeepEvery = TimeSpan.FromDays(1);

    private readonly string _file = Path.Combine(directory, FileName);
    private ITimer? _timer;

    /// <summary>Whether this machine says that its clock was set from the network: by systemd's file, or by the kernel's word.</summary>
    public static bool IsMachineSet()
    {
        if (File.Exists(SetFromNetwork))
        {
            return true;
        }

        // struct timex of 208 bytes with modes 0: asks and changes nothing. A unit without access to clocks is told nothing.
        Span<long> asked = stackalloc long[64];
        asked.Clear();
        return adjtimex(ref asked[0]) is >= 0 and not NotSynchronized;
    }

    /// <summary>Begins to keep the time.</summary>
    public void Start() => _timer = time.CreateTimer(static self => ((PlausibleClock)self!).Keep(), this, KeepEvery, KeepEvery);

    /// <summary>Why the clock cannot be believed, and what to do; null when it can.</summary>
    public Sentence? Problem()
    {
        var now = time.GetUtcNow();
        if (now + Tolerance >= Earliest() || isSet())
        {
            return null;
        }

        var shown = now.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        return Sentence.Of($"The clock of this machine shows {shown}, which cannot be right. The box publishes nothing until it has learned the time from the internet. See that it has a way there.");
    }

    /// <summary>Keeps the time, unless it cannot be right.</summary>
    public void Keep()
    {
        try
        {
            if (Problem() is null)
            {
                if (!File.Exists(_file))
                {
                    File.WriteAllText(_file, "");
                }

                File.SetLastWriteTimeUtc(_file, time.GetUtcNow().UtcDateTime);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then it is kept another day.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        Keep();
    }

    private DateTimeOffset Earliest()
    {
        var earliest = built;
        if (File.Exists(_file) && new DateTimeOffset(File.GetLastWriteTimeUtc(_file)) is var kept && kept > earliest)
        {
            earliest = kept;
        }

        return newest() is { } own && own > earliest ? own : earliest;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int adjtimex(ref long timex);
}
