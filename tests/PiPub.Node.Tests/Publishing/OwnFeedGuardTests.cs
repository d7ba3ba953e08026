using PiPub.Node.Intake;
using PiPub.Node.Publishing;
using PiPub.Node.Tests.Intake;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Tests.Publishing;

public sealed class OwnFeedGuardTests
{
    private static readonly FeedId[] Peers = [.. Enumerable.Range(200, 3).Select(seed => new TestAuthor(seed).Id)];

    [Fact]
    public async Task A_key_that_was_created_here_is_free_at_once_and_stays_so()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        Assert.Equal(1, await box.PublishAsync());
        box.Restart();
        Assert.Equal(2, await box.PublishAsync());
    }

    [Fact]
    public async Task A_box_with_a_key_but_without_its_messages_waits_until_peers_agree_that_it_has_them()
    {
        await using var box = new TestOwnFeed();
        var feed = box.Author.WriteFeed(5);
        await box.AssertRefused("0 of 2 peers");
        box.Guard.ReportRemoteClock(Peers[0], 5);
        await box.AssertRefused("0 of the 5 messages");
        await box.Door.SubmitAsync(feed.Take(4));
        await box.AssertRefused("4 of the 5 messages");
        await box.Door.SubmitAsync(feed[4]);
        await box.AssertRefused("1 of 2 peers");
        box.Guard.ReportRemoteClock(Peers[0], 5);
        box.Guard.ReportRemoteClock(Peers[2], 0);
        await box.AssertRefused("1 of 2 peers");
        box.Guard.ReportRemoteClock(Peers[1], 3);
        Assert.Equal(6, await box.PublishAsync());

        // It stays free after a restart, without peers.
        box.Restart();
        Assert.Equal(7, await box.PublishAsync());
    }

    [Fact]
    public async Task While_a_feed_is_being_recovered_everyones_word_counts()
    {
        await using var box = new TestOwnFeed();
        box.Guard.IsWitness = _ => false;
        await box.Door.SubmitAsync(box.Author.WriteFeed(2));
        box.Guard.ReportRemoteClock(Peers[0], 2);
        box.Guard.ReportRemoteClock(Peers[1], 2);
        Assert.Equal(3, await box.PublishAsync());
    }

    [Fact]
    public async Task A_lost_log_bars_publishing_until_the_messages_are_back()
    {
        await using var full = new TestOwnFeed();
        full.Guard.CreatedHere();
        await full.PublishAsync();

        // The same state beside an empty log.
        await using var empty = new TestOwnFeed(full.Door.State);
        await empty.AssertRefused("the log has been lost");
        await empty.Door.SubmitAsync(full.Door.Stored(full.Id).Select(v => (ReadOnlyMemory<byte>)v));
        await empty.AssertRefused("0 of 2 peers");
        empty.Guard.ReportRemoteClock(Peers[0], 1);
        empty.Guard.ReportRemoteClock(Peers[1], 1);
        Assert.Equal(2, await empty.PublishAsync());
    }

    [Fact]
    public async Task After_a_backup_was_put_back_one_peer_that_holds_as_much_is_enough_in_time()
    {
        await using var box = new TestOwnFeed();
        var feed = box.Author.WriteFeed(7);
        new PiPub.Storage.State.OwnFeedTable(box.Door.State).Write(box.Id, isFree: false, 5);
        box.Restart();
        await box.Door.SubmitAsync(feed.Take(5));
        await box.AssertRefused("0 of 2 peers");

        // Who holds less than the backup says nothing about what came after it.
        box.Guard.ReportRemoteClock(Peers[2], 4);
        box.Time.Advance(OwnFeedGuard.LonePatience);
        await box.AssertRefused("0 of 2 peers");
        box.Guard.ReportRemoteClock(Peers[0], 6);
        box.Time.Advance(OwnFeedGuard.LonePatience);
        await box.AssertRefused("5 of the 6 messages");
        await box.Door.SubmitAsync(feed[5]);

        // A restart forgets who has told what, never that it must be told.
        box.Restart();
        Assert.True(box.Guard.IsRecovering);
        box.Time.Advance(OwnFeedGuard.LonePatience);
        await box.AssertRefused("0 of 2 peers");
        box.Guard.ReportRemoteClock(Peers[0], 6);
        await box.AssertRefused("1 of 2 peers");
        box.Time.Advance(OwnFeedGuard.LonePatience);
        Assert.Equal(7, await box.PublishAsync());
        Assert.False(box.Guard.IsRecovering);
    }

    [Fact]
    public async Task The_owner_can_take_the_responsibility()
    {
        await using var box = new TestOwnFeed();
        box.Guard.ReportRemoteClock(Peers[0], 9);
        await box.AssertRefused("0 of the 9 messages");
        box.Guard.Override();
        box.Guard.ReportRemoteClock(Peers[0], 9);
        Assert.Equal(1, await box.PublishAsync());
    }

    [Fact]
    public async Task A_claim_about_a_free_feed_bars_it_only_until_it_proves_idle()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        box.Guard.IsWitness = peer => peer != Peers[2];
        box.Guard.ReportRemoteClock(Peers[2], 1000);
        Assert.Equal(1, await box.PublishAsync());
        box.Guard.ReportRemoteClock(Peers[0], 50);
        await box.AssertRefused("1 of the 50 messages");
        box.Time.Advance(OwnFeedGuard.Patience);
        Assert.Equal(2, await box.PublishAsync());

        // It is not believed again; another one is.
        box.Guard.ReportRemoteClock(Peers[0], 60);
        Assert.Equal(3, await box.PublishAsync());
        box.Guard.ReportRemoteClock(Peers[1], 60);
        await box.AssertRefused("3 of the 60 messages");
    }

    [Fact]
    public async Task A_claim_that_is_being_proven_bars_as_long_as_it_takes()
    {
        await using var box = new TestOwnFeed();
        var feed = box.Author.WriteFeed(3);
        box.Guard.CreatedHere();
        box.Guard.ReportRemoteClock(Peers[0], 3);
        foreach (var message in feed)
        {
            box.Time.Advance(OwnFeedGuard.Patience * 0.9);
            await box.AssertRefused("of the 3 messages");
            await box.Door.SubmitAsync(message);
        }

        Assert.Equal(4, await box.PublishAsync());
    }

    [Fact]
    public async Task A_forked_own_feed_says_so()
    {
        await using var box = new TestOwnFeed();
        box.Guard.CreatedHere();
        await box.PublishAsync();
        Assert.Equal([IntakeVerdict.Forked], await box.Door.SubmitAsync(box.Author.WriteFeed(1, "from an old backup")));
        await box.AssertRefused("has forked at 1");
    }
}
