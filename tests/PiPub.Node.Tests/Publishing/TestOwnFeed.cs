using PiPub.Node.Publishing;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Node.Tests.Publishing;

/// <summary>A box's own feed: its key, its publisher and its guard, at an intake on a log in memory and a clock set by hand.</summary>
internal sealed class TestOwnFeed : IAsyncDisposable
{
    /// <param name="state">What another data directory remembers, in place of an empty one.</param>
    public TestOwnFeed(StateDatabase? state = null)
    {
        Guard = new OwnFeedGuard(Id, Door.Store, Door.Forks, new OwnFeedTable(state ?? Door.State), Time);
        Publisher = new Publisher(Author.Keys, Door.Store, Door.Intake, Guard, null, Time);
    }

    public TestAuthor Author { get; } = new(100);

    public FeedId Id => Author.Id;

    public TestDoor Door { get; } = new();

    public ManualTime Time { get; } = new();

    public OwnFeedGuard Guard { get; private set; }

    public Publisher Publisher { get; private set; }

    /// <summary>A guard and a publisher that know only what is on the disk.</summary>
    public void Restart()
    {
        Publisher.Dispose();
        Guard = new OwnFeedGuard(Id, Door.Store, Door.Forks, new OwnFeedTable(Door.State), Time);
        Publisher = new Publisher(Author.Keys, Door.Store, Door.Intake, Guard, null, Time);
    }

    /// <summary>Publishes a post and returns its sequence.</summary>
    public async Task<int> PublishAsync() =>
        (await Publisher.PublishAsync("""{"type":"post","text":"hello"}"""u8.ToArray(), TestContext.Current.CancellationToken)).Message.Sequence;

    public Task<string> AssertRefused(string why) => AssertRefused("""{"type":"post","text":"hello"}"""u8.ToArray(), why);

    public async Task<string> AssertRefused(byte[] content, string why)
    {
        var refused = await Assert.ThrowsAsync<PublishRefusedException>(async () => await Publisher.PublishAsync(content, TestContext.Current.CancellationToken));
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        return refused.Message;
    }

    public async ValueTask DisposeAsync()
    {
        Publisher.Dispose();
        await Door.DisposeAsync();
    }
}

/// <summary>A clock that moves only when it is told to.</summary>
internal sealed class ManualTime : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
    private long _elapsed = 1;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Sets the clock on, or back; time that has passed is never taken back.</summary>
    public void Advance(TimeSpan by)
    {
        _now += by;
        _elapsed += Math.Max(0, by.Ticks);
    }

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _elapsed;
}
