using PiPub.Appliance.Clock;
using PiPub.Node.Tests.Peers;

namespace PiPub.Appliance.Tests.Clock;

public sealed class PlausibleClockTests : IDisposable
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly string _directory = Directory.CreateTempSubdirectory("pipub-").FullName;
    private readonly ManualTime _time = new();
    private DateTimeOffset? _newest;
    private bool _isSet;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_clock_after_all_that_is_known_is_believed()
    {
        using var clock = New(_time.GetUtcNow() - Day);
        _newest = _time.GetUtcNow() - Day;
        Assert.Null(clock.Problem());
    }

    [Fact]
    public void A_clock_before_the_programs_own_date_is_not()
    {
        using var clock = New(_time.GetUtcNow() + Day);
        Assert.Contains("2024-11-21 08:00", clock.Problem()!.ToString(), StringComparison.Ordinal);
        _time.Advance(Day);
        Assert.Null(clock.Problem());
    }

    [Fact]
    public void A_clock_before_the_newest_message_is_not_unless_the_network_has_set_it()
    {
        using var clock = New(_time.GetUtcNow() - Day);
        _newest = _time.GetUtcNow() + Day;
        Assert.NotNull(clock.Problem());
        _isSet = true;
        Assert.Null(clock.Problem());
    }

    [Fact]
    public void A_clock_before_the_last_known_time_is_not()
    {
        var now = _time.GetUtcNow();
        using (var before = New(now - Day))
        {
            before.Start();
            _time.Advance(3 * Day);
            Assert.Equal((now + 3 * Day).UtcDateTime, File.GetLastWriteTimeUtc(Path.Combine(_directory, PlausibleClock.FileName)));
            _time.Advance(TimeSpan.FromHours(5));
        }

        Assert.Equal((now + 3 * Day).UtcDateTime.AddHours(5), File.GetLastWriteTimeUtc(Path.Combine(_directory, PlausibleClock.FileName)));
        var earlier = new ManualTime();
        using var clock = new PlausibleClock(_directory, now - Day, () => null, () => false, earlier);
        Assert.NotNull(clock.Problem());
        // A time that cannot be right is not kept.
        clock.Keep();
        Assert.Equal((now + 3 * Day).UtcDateTime.AddHours(5), File.GetLastWriteTimeUtc(Path.Combine(_directory, PlausibleClock.FileName)));
    }

    private PlausibleClock New(DateTimeOffset built) => new(_directory, built, () => _newest, () => _isSet, _time);
}
