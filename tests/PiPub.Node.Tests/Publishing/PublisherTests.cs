using System.Text;
using PiPub.Node.Publishing;
using PiPub.Scuttlebutt.Feeds.Classic;

namespace PiPub.Node.Tests.Publishing;

public sealed class PublisherTests
{
    private static readonly ReadOnlyMemory<byte> Post = """{"type":"post","text":"hello"}"""u8.ToArray();

    [Fact]
    public async Task Messages_published_at_once_by_many_make_one_feed()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        var records = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            box.Publisher.PublishAsync(Encoding.UTF8.GetBytes($$"""{"type":"post","text":"{{i}}"}"""), TestContext.Current.CancellationToken).AsTask()));
        Assert.Equal(Enumerable.Range(1, 40), records.Select(r => r.Message.Sequence).Order());
        Assert.Equal(40, box.Door.Store.Tip(box.Id).Sequence);
        Assert.Equal(records.OrderBy(r => r.Position).Select(r => r.Message.Id), box.Door.Observed.Select(r => r.Message.Id));
        foreach (var value in box.Door.Stored(box.Id))
        {
            Assert.True(ClassicFeed.TryVerify(value, null, out _, out var reason), reason);
        }
    }

    [Fact]
    public async Task Timestamps_grow_even_when_the_clock_is_set_back()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        var timestamps = new List<double>();
        foreach (var step in new[] { 0, 0, 5, -100_000, 0, 200_000 })
        {
            box.Time.Advance(TimeSpan.FromMilliseconds(step));
            timestamps.Add((await box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken)).Message.Timestamp);
        }

        Assert.Equal(timestamps.Order(), timestamps);
        Assert.Equal(timestamps.Count, timestamps.Distinct().Count());
        Assert.Equal(timestamps[0] + 0.001, timestamps[1], 0.0005);
    }

    [Theory]
    [InlineData("not json", "not JSON")]
    [InlineData("[]", "neither an object nor a ciphertext")]
    [InlineData("{}", "no type")]
    [InlineData("""{"type":"x"}""", "3 to 52")]
    [InlineData("""{"type":"post"},"signature":"x" """, "not JSON")]
    [InlineData("\"plain text\"", "no ciphertext")]
    public async Task Content_that_no_peer_would_take_is_refused_and_nothing_changes(string content, string why)
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        await box.AssertRefused(Encoding.UTF8.GetBytes(content), why);
        Assert.Equal(0, box.Door.Log.End);
        Assert.Equal(1, (await box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken)).Message.Sequence);
    }

    [Fact]
    public async Task Content_that_is_too_long_says_how_long_its_message_is()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        var refused = await box.AssertRefused(Encoding.UTF8.GetBytes($$"""{"type":"post","text":"{{new string('x', 8000)}}"}"""), "too long");
        Assert.Matches("too long: 8[0-9]{3} characters where 8192 are allowed", refused);
    }

    [Fact]
    public async Task On_a_full_disk_publishing_says_so_and_works_again_later()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        box.Door.Log.FailuresLeft = 1;
        await Assert.ThrowsAsync<IOException>(async () => await box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken));
        Assert.Equal(1, (await box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken)).Message.Sequence);
    }

    [Fact]
    public async Task A_message_of_the_own_feed_that_comes_from_elsewhere_meanwhile_is_not_forked_against()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        box.Door.Log.Hold();
        var foreign = box.Door.SubmitAsync(box.Author.WriteFeed(1));
        while (box.Door.Log.Appends == 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        var publishing = box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken).AsTask();
        box.Door.Log.Resume();
        await foreign;
        Assert.Contains("key is in use", (await Assert.ThrowsAsync<PublishRefusedException>(() => publishing)).Message, StringComparison.Ordinal);
        Assert.Equal(0, box.Door.Forks.Count);
        Assert.Equal(2, (await box.Publisher.PublishAsync(Post, TestContext.Current.CancellationToken)).Message.Sequence);
    }
}
