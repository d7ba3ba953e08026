namespace PiPub.Web.Tests;

/// <summary>A clock that the test moves.</summary>
internal sealed class PlayedTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.UtcTicks;

    public void Advance(TimeSpan time) => _now += time;

    /// <summary>Sets it, as a box does that has asked the network for the time.</summary>
    public void Set(DateTimeOffset now) => _now = now;
}
