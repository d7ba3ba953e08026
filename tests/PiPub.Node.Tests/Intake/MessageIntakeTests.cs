using System.Text;
using PiPub.Node.Intake;
using static PiPub.Node.Intake.IntakeVerdict;

namespace PiPub.Node.Tests.Intake;

public sealed class MessageIntakeTests
{
    private static readonly TestAuthor Ada = new(1);
    private static readonly TestAuthor Bob = new(2);

    [Fact]
    public async Task A_feed_in_order_is_appended_as_it_was_signed_and_observed()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(50);
        Assert.All(await door.SubmitAsync(feed), verdict => Assert.Equal(Appended, verdict));
        Assert.Equal(feed.Select(m => m.Value.ToArray()), door.Stored(Ada.Id));
        Assert.Equal(feed.Select(m => m.Id), door.Observed.Select(r => r.Message.Id));
        Assert.Equal(TestAuthor.TipOf(feed), door.Store.Tip(Ada.Id));
        Assert.Equal(50, door.Intake.Counters[Appended]);
        Assert.Equal(FeedState.UpToDate, door.Statuses.Of(Ada.Id).State);
    }

    [Fact]
    public async Task What_is_held_is_known_also_within_one_batch()
    {
        await using var door = new TestDoor(start: false);
        var feed = Ada.WriteFeed(3);
        var submitting = door.SubmitAsync(feed.Concat(feed));
        door.Intake.Start();
        Assert.Equal([Appended, Appended, Appended, Known, Known, Known], await submitting);
        Assert.Equal([Known, Known, Known], await door.SubmitAsync(feed));

        // The same message in another spelling is the same message.
        var spaced = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(feed[1].Value.Span).Replace(",\"sequence\"", ", \"sequence\""));
        Assert.Equal([Known], await door.SubmitAsync((ReadOnlyMemory<byte>)spaced));
        Assert.Equal(3, door.Stored(Ada.Id).Count);
    }

    [Fact]
    public async Task Messages_that_overtook_others_wait_for_them_and_are_no_fork()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(4);
        Assert.Equal([Waiting, Waiting, Waiting], await door.SubmitAsync(feed[3], feed[1], feed[2]));
        Assert.Empty(door.Stored(Ada.Id));
        Assert.Equal([Appended], await door.SubmitAsync(feed[0]));
        Assert.Equal(4, door.Store.Tip(Ada.Id).Sequence);
        Assert.Equal([1, 2, 3, 4], door.Observed.Select(r => r.Message.Sequence));
    }

    [Fact]
    public async Task What_is_too_far_ahead_is_not_kept()
    {
        await using var door = new TestDoor(new IntakeOptions { WindowPerFeed = 3, WindowInTotal = 4 });
        var feed = Ada.WriteFeed(6);
        var other = Bob.WriteFeed(4);
        Assert.Equal([TooFarAhead, Waiting, Waiting], await door.SubmitAsync(feed[3], feed[1], feed[2]));
        Assert.Equal([Waiting, TooFarAhead, Waiting, TooFarAhead], await door.SubmitAsync(other[1], other[3], other[2], other[2] with { Value = Bob.WriteFeed(4, "y")[3].Value }));
        Assert.Equal([Appended], await door.SubmitAsync(feed[0]));
        Assert.Equal([Appended, Appended, Appended], await door.SubmitAsync(feed[3], feed[4], feed[5]));
        Assert.Equal(6, door.Store.Tip(Ada.Id).Sequence);
    }

    [Fact]
    public async Task Invalid_messages_are_refused_with_a_reason_that_a_person_reads()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(3);
        var forged = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(feed[1].Value.Span).Replace("\"x\"", "\"y\""));
        Assert.Equal([Appended, Invalid, Waiting], await door.SubmitAsync(feed[0].Value, forged, feed[2].Value));
        var status = door.Statuses.Of(Ada.Id);
        Assert.Equal((FeedState.Invalid, 1), (status.State, status.Sequence));
        Assert.Equal("stopped at 1: message 2, as it came here, is not valid because its signature does not match its author and text", status.Words.ToString());

        // The genuine one still gets in, and all is well again.
        Assert.Equal([Appended], await door.SubmitAsync(feed[1]));
        Assert.Equal("up to date at 3", door.Statuses.Of(Ada.Id).Words.ToString());
        door.Statuses.ReportSeen(Ada.Id, 9);
        Assert.Equal("behind: 3 of 9 messages are here", door.Statuses.Of(Ada.Id).Words.ToString());
        Assert.Equal([Invalid, Invalid, Invalid], await door.SubmitAsync("{}"u8.ToArray(), ReadOnlyMemory<byte>.Empty, new byte[100_000]));
        Assert.Equal(4, door.Intake.Counters[Invalid]);
    }

    [Fact]
    public async Task On_a_full_disk_sources_are_told_and_the_door_stays_open()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(5);
        Assert.Equal([Waiting], await door.SubmitAsync(feed[2]));
        door.Log.FailuresLeft = 2;
        Assert.Equal([NotStored, NotStored], [.. await door.SubmitAsync(feed[0]), .. await door.SubmitAsync(feed[0])]);
        Assert.Empty(door.Observed);
        Assert.Equal(0, door.Store.Tip(Ada.Id).Sequence);

        // What had been waiting is still there when there is space again.
        Assert.Equal([Appended, Appended], await door.SubmitAsync(feed[0], feed[1]));
        Assert.Equal([Appended, Appended], await door.SubmitAsync(feed[3], feed[4]));
        Assert.Equal(feed.Select(m => m.Value.ToArray()), door.Stored(Ada.Id));
    }

    [Fact]
    public async Task A_batch_that_failed_takes_down_what_was_known_only_through_it()
    {
        await using var door = new TestDoor(start: false);
        var feed = Ada.WriteFeed(2);
        door.Log.FailuresLeft = 1;
        var submitting = door.SubmitAsync(feed[0], feed[0], feed[1]);
        door.Intake.Start();
        Assert.Equal([NotStored, NotStored, NotStored], await submitting);
    }

    [Fact]
    public async Task What_trickles_in_shares_a_flush_and_what_is_urgent_or_plenty_does_not_wait()
    {
        await using var door = new TestDoor(new IntakeOptions { FlushPause = TimeSpan.FromHours(1), FullFlush = 10 });
        var feed = Ada.WriteFeed(13);
        Assert.Equal([Appended], await door.SubmitAsync(feed[0]));
        Assert.Equal(1, door.Log.Appends);

        // Of a stream, what is plenty is flushed; what is left waits for company.
        Assert.All(await door.SubmitAsync(feed[1..11]), verdict => Assert.Equal(Appended, verdict));
        var flushes = door.Log.Appends;
        var trickling = door.SubmitAsync(feed[11], feed[12]);
        var box = new TestSource { IsAuthor = true };
        await door.Intake.SubmitAsync(box, Bob.WriteFeed(1)[0].Value, TestContext.Current.CancellationToken);
        Assert.Equal([Appended], await box.WaitAsync(1));
        Assert.Equal([Appended, Appended], await trickling);
        Assert.Equal(flushes + 1, door.Log.Appends);
    }

    [Fact]
    public async Task A_full_queue_makes_sources_wait_in_turn()
    {
        await using var door = new TestDoor(new IntakeOptions { MaxQueuedMessages = 4, MaxBatchMessages = 4 });
        var feed = Ada.WriteFeed(20);
        door.Log.Hold();
        var source = new TestSource();
        var cancel = new CancellationTokenSource();
        var submitted = 0;
        ValueTask waiting;
        while (true)
        {
            // Some are being flushed, some verified, some queued: sooner or later there is no room.
            waiting = door.Intake.SubmitAsync(source, feed[submitted].Value, cancel.Token);
            if (!waiting.IsCompleted)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
                if (!waiting.IsCompleted)
                {
                    break;
                }
            }

            await waiting;
            submitted++;
            Assert.True(submitted < 15, "nothing made the source wait");
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await waiting);
        door.Log.Resume();
        Assert.All(await source.WaitAsync(submitted), verdict => Assert.Equal(Appended, verdict));

        // Giving up meant that it was not submitted: the feed goes on exactly where it stopped.
        Assert.Equal(submitted, door.Store.Tip(Ada.Id).Sequence);
        Assert.All(await door.SubmitAsync(feed.Skip(submitted)), verdict => Assert.Equal(Appended, verdict));
        Assert.Equal(Enumerable.Range(1, submitted), source.Sequences);
    }

    [Fact]
    public async Task While_one_batch_is_flushed_the_next_is_taken()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(10);
        door.Log.Hold();
        var first = door.SubmitAsync(feed[0]);
        var rest = door.SubmitAsync(feed.Skip(1));
        Assert.False(first.IsCompleted);
        door.Log.Resume();
        Assert.Equal([Appended], await first);
        Assert.All(await rest, verdict => Assert.Equal(Appended, verdict));
        Assert.Equal(10, door.Store.Tip(Ada.Id).Sequence);
    }

    [Fact]
    public async Task When_the_node_stops_nothing_is_left_untold()
    {
        await using var door = new TestDoor();
        var feed = Ada.WriteFeed(6);
        var source = new TestSource();
        door.Log.Hold();
        await door.Intake.SubmitAsync(source, feed[0].Value, TestContext.Current.CancellationToken);
        while (door.Log.Appends == 0)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        for (var i = 1; i < 6; i++)
        {
            await door.Intake.SubmitAsync(source, feed[i].Value, TestContext.Current.CancellationToken);
        }

        var stopping = door.Intake.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await door.Intake.SubmitAsync(source, feed[0].Value, TestContext.Current.CancellationToken));
        door.Log.Resume();
        await stopping;
        var verdicts = await source.WaitAsync(6);
        var stored = door.Store.Tip(Ada.Id).Sequence;
        Assert.InRange(stored, 1, 6);
        Assert.Equal(stored, verdicts.Count(v => v == Appended));
        Assert.All(verdicts.Skip(stored), verdict => Assert.Equal(NotStored, verdict));
    }

    [Fact]
    public async Task A_source_or_observer_that_throws_harms_nobody_else()
    {
        await using var door = new TestDoor(start: false);
        door.Intake.Observe(new Thrower());
        door.Intake.Start();
        var feed = Ada.WriteFeed(2);
        await door.Intake.SubmitAsync(new Thrower(), feed[0].Value, TestContext.Current.CancellationToken);
        Assert.Equal([Appended], await door.SubmitAsync(feed[1]));
        Assert.Equal([1, 2], door.Observed.Select(r => r.Message.Sequence));
    }

    private sealed class Thrower : IMessageSource, IAppendObserver
    {
        public void Judged(Scuttlebutt.Identities.FeedId author, int sequence, IntakeVerdict verdict) => throw new InvalidOperationException("a fault of a source");

        public void Appended(IReadOnlyList<Storage.LogRecord> records) => throw new InvalidOperationException("a fault of an observer");
    }
}
