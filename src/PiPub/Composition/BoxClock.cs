using PiPub.Appliance.Clock;

namespace PiPub.Composition;

/// <summary>The clock, as far as it can be believed: the program's date is that of its file, which an image sets to the day it was made.</summary>
internal static class BoxClock
{
    /// <summary>The year 9999, in milliseconds since 1970.</summary>
    private const double Latest = 253_370_764_800_000;

    public static PlausibleClock Of(BoxStorage storage)
    {
        var own = storage.Identity.Id;
        return new PlausibleClock(
            storage.Directory.Path,
            new DateTimeOffset(File.GetLastWriteTimeUtc(typeof(BoxClock).Assembly.Location is { Length: > 0 } path ? path : Environment.ProcessPath!)),
            () => storage.Messages.SequenceOf(own) is > 0 and var sequence
                ? DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Clamp(storage.Messages.Log.Read(storage.Messages.PositionOf(own, sequence)).Message.Timestamp, 0, Latest))
                : null,
            PlausibleClock.IsMachineSet,
            TimeProvider.System);
    }
}
