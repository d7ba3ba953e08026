using System.Collections.Concurrent;
using System.Text;
using PiPub.Node.Replication;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Replication;

public class EbtReplicationTests
{
    [Fact]
    public async Task Feeds_cross_through_a_pub_that_follows_its_users()
    {
        await using var alice = new ReplicatingNode();
        await using var pub = new ReplicatingNode();
        await using var bob = new ReplicatingNode();
        await pub.FollowAsync(alice.Id);
        await pub.FollowAsync(bob.Id);
        await bob.FollowAsync(alice.Id);
        await alice.PostAsync(300);
        await using var one = ReplicatingNode.Connect(alice, pub);
        await using var two = ReplicatingNode.Connect(bob, pub);
        await bob.HasAsync(alice.Id, 300);

        // Live, and only what is wanted: bob does not follow the pub.
        await alice.PostAsync(3);
        await bob.HasAsync(alice.Id, 303);
        Assert.Equal(0, bob.Store.SequenceOf(pub.Id));
        Assert.Equal(1, pub.Store.SequenceOf(bob.Id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_that_ended_with_a_connection_that_was_given_up_is_begun_anew_on_the_one_that_stands(bool boxDialled)
    {
        var soon = new ReplicationOptions { ResumePause = TimeSpan.FromMilliseconds(50) };
        await using var box = new ReplicatingNode(options: soon);
        await using var author = new ReplicatingNode(options: soon with { ResumePause = TimeSpan.FromHours(1) }); // It begins no other, as the JavaScript stack.
        await box.FollowAsync(author.Id);
        await author.PostAsync();
        await using var kept = boxDialled ? ReplicatingNode.Connect(box, author) : ReplicatingNode.Connect(author, box);
        await box.HasAsync(author.Id, 1);
        await using (var crossing = new ReplicatingNode.Connection(boxDialled ? box.Id : author.Id, boxDialled ? author : box))
        {
            crossing.Client.Open("ebt.replicate", CallType.Duplex, """[{"version":3}]"""u8.ToArray());
            await Eventually.BecomesTrueAsync(() => (boxDialled ? box : author).Ebt.Sessions().Count == 0, "the end of the former session");
        }

        await author.PostAsync();
        await box.HasAsync(author.Id, 2);
    }

    [Fact]
    public async Task Thousands_of_messages_cross_once()
    {
        await using var sender = new ReplicatingNode();
        await using var receiver = new ReplicatingNode();
        var feeds = Enumerable.Range(0, 20).Select(_ => KeyPair.Generate()).ToList();
        foreach (var feed in feeds)
        {
            await sender.PostAsync(feed, 100);
            sender.Scheduler.Ask(feed.Id);
            receiver.Scheduler.Ask(feed.Id);
        }

        await using var connection = ReplicatingNode.Connect(sender, receiver);
        foreach (var feed in feeds)
        {
            await receiver.HasAsync(feed.Id, 100);
        }

        Assert.Equal(2000, Assert.Single(sender.Ebt.Sessions()).Sent);
        Assert.Equal(2000, Assert.Single(receiver.Ebt.Sessions()).Received);
    }

    [Fact]
    public async Task A_peer_that_comes_back_says_only_what_has_changed()
    {
        await using var one = new ReplicatingNode();
        await using var two = new ReplicatingNode();
        var feeds = Enumerable.Range(0, 50).Select(_ => KeyPair.Generate()).ToList();
        foreach (var feed in feeds)
        {
            one.Scheduler.Ask(feed.Id);
            two.Scheduler.Ask(feed.Id);
        }

        await one.PostAsync(feeds[0], 1);
        await using (ReplicatingNode.Connect(one, two))
        {
            await two.HasAsync(feeds[0].Id, 1);
        }

        await Eventually.BecomesTrueAsync(() => two.Memories.Load(one.Id).Count >= 50 && one.Memories.Load(two.Id).Count >= 50, "clocks on the disk");
        await one.PostAsync(feeds[1], 1);
        await using (ReplicatingNode.Connect(two, one))
        {
            await two.HasAsync(feeds[1].Id, 1);
        }
    }

    [Fact]
    public async Task A_block_stops_a_feed_at_once_and_an_unblock_resumes_it()
    {
        await using var author = new ReplicatingNode();
        await using var pub = new ReplicatingNode();
        await pub.FollowAsync(author.Id);
        await author.PostAsync(2);
        await using var connection = ReplicatingNode.Connect(author, pub);
        await pub.HasAsync(author.Id, 2);
        await pub.BlockAsync(author.Id);
        Assert.False(pub.Scheduler.IsWanted(author.Id));
        await author.PostAsync(5);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.Equal(2, pub.Store.SequenceOf(author.Id));
        await pub.FollowAsync(author.Id);
        await pub.HasAsync(author.Id, 7);
    }

    [Fact]
    public async Task A_feed_is_not_passed_on_to_whom_its_author_has_blocked()
    {
        await using var author = new ReplicatingNode();
        await using var pub = new ReplicatingNode();
        await using var blocked = new ReplicatingNode();
        await pub.FollowAsync(author.Id);
        await pub.FollowAsync(blocked.Id);
        await blocked.FollowAsync(author.Id);
        await author.PostAsync();
        await using var one = ReplicatingNode.Connect(author, pub);
        await using var two = ReplicatingNode.Connect(blocked, pub);
        await blocked.HasAsync(author.Id, 1);
        await author.BlockAsync(blocked.Id);
        await author.PostAsync(3);
        await pub.HasAsync(author.Id, 5);
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.InRange(blocked.Store.SequenceOf(author.Id), 1, 2); // The block itself may have left with the batch before it was read.
    }

    [Fact]
    public async Task A_forked_feed_is_not_asked_for_again()
    {
        await using var one = new ReplicatingNode();
        await using var two = new ReplicatingNode();
        await using var pub = new ReplicatingNode();
        var forker = KeyPair.Generate();
        foreach (var node in new[] { one, two, pub })
        {
            node.Scheduler.Ask(forker.Id);
        }

        await one.PostAsync(forker, 5);
        await two.PublishAsync(forker, """{"type":"post","text":"another first"}""");
        await two.PostAsync(forker, 9);
        await using var first = ReplicatingNode.Connect(one, pub);
        await pub.HasAsync(forker.Id, 5);
        await using var second = ReplicatingNode.Connect(two, pub);
        await Eventually.BecomesTrueAsync(() => pub.Forks.IsForked(forker.Id), "the fork to be seen");
        await Task.Delay(300, TestContext.Current.CancellationToken);
        Assert.InRange(Assert.Single(pub.Ebt.Sessions(), session => session.Peer == two.Id).Received, 1, 5);
        Assert.Equal(5, pub.Store.SequenceOf(forker.Id));
    }

    [Fact]
    public async Task The_box_asks_for_its_own_feed_and_reports_how_far_peers_have_it()
    {
        var claims = new ConcurrentQueue<(FeedId Peer, FeedId Feed, int Sequence)>();
        await using var peer = new ReplicatingNode();
        await using var box = new ReplicatingNode(claimed: (from, feed, sequence) => claims.Enqueue((from, feed, sequence)));
        peer.Scheduler.Ask(box.Id);
        await peer.PostAsync(box.Key, 4);
        await using var connection = ReplicatingNode.Connect(peer, box);
        await box.HasAsync(box.Id, 4);
        Assert.Contains((peer.Id, box.Id, 4), claims);
    }

    [Fact]
    public async Task A_second_session_of_a_peer_ends_the_first()
    {
        await using var one = new ReplicatingNode();
        await using var two = new ReplicatingNode();
        await using var connection = ReplicatingNode.Connect(one, two);
        await Eventually.BecomesTrueAsync(() => two.Ebt.Sessions().Count == 1, "the first session");
        var second = connection.Client.Open("ebt.replicate", CallType.Duplex, """[{"version":3}]"""u8.ToArray());
        Assert.NotNull(await second.ReadAsync(TestContext.Current.CancellationToken));
        await Eventually.BecomesTrueAsync(() => one.Ebt.Sessions().Count == 0, "the first session to end on the other side");
        Assert.Single(two.Ebt.Sessions());
        second.Complete();
    }

    [Theory]
    [InlineData("[]", "expected ebt.replicate({version: 3})")]
    [InlineData("""[{"version":2}]""", "expected ebt.replicate({version: 3})")]
    [InlineData("""[{"version":3,"format":"bendybutt-v1"}]""", "Unknown format: bendybutt-v1")]
    public async Task Other_versions_and_formats_are_refused(string args, string error)
    {
        await using var one = new ReplicatingNode(hasEbt: false);
        await using var two = new ReplicatingNode();
        await using var connection = ReplicatingNode.Connect(one, two);
        var stream = connection.Client.Open("ebt.replicate", CallType.Duplex, Encoding.UTF8.GetBytes(args));
        var refusal = await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal(error, refusal.Message);
        stream = connection.Client.Open("ebt.replicateFormat", CallType.Duplex, """[{"version":3,"format":"bendybutt-v1"}]"""u8.ToArray());
        refusal = await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal("method:ebt,replicateFormat is not in list of allowed methods", refusal.Message);
    }

    [Fact]
    public async Task What_is_neither_notes_nor_message_ends_the_session_in_words()
    {
        await using var two = new ReplicatingNode();
        await using var connection = new ReplicatingNode.Connection(KeyPair.Generate().Id, two);
        var stream = connection.Client.Open("ebt.replicate", CallType.Duplex, """[{"version":3}]"""u8.ToArray());
        await stream.ReadAsync(TestContext.Current.CancellationToken);
        await stream.WriteAsync(BodyType.Json, "[1,2]"u8.ToArray(), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<RpcException>(async () => await stream.ReadAsync(TestContext.Current.CancellationToken));
        await Eventually.BecomesTrueAsync(() => two.Ebt.Sessions().Count == 0, "the session to end");
    }

    [Fact]
    public async Task The_clock_holds_plain_sequences()
    {
        await using var one = new ReplicatingNode();
        await using var two = new ReplicatingNode();
        await two.PostAsync(3);
        await using var connection = ReplicatingNode.Connect(one, two);
        var clock = await connection.Client.CallAsync("ebt.clock", "[]"u8.ToArray(), TestContext.Current.CancellationToken);
        Assert.Equal($$"""{"{{two.Id}}":3}""", Encoding.UTF8.GetString(clock.Bytes.Span));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Peers_without_ebt_get_and_give_feeds_by_history_streams(bool clientHasEbt, bool serverHasEbt)
    {
        await using var client = new ReplicatingNode(hasEbt: clientHasEbt);
        await using var server = new ReplicatingNode(hasEbt: serverHasEbt);
        await client.FollowAsync(server.Id);
        await server.FollowAsync(client.Id);
        await client.PostAsync(50);
        await server.PostAsync(60);
        await using var connection = ReplicatingNode.Connect(client, server);
        if (!serverHasEbt)
        {
            await server.HasAsync(client.Id, 51);
            await client.HasAsync(server.Id, 61);
            await client.PostAsync();
            await server.PostAsync();
            await server.HasAsync(client.Id, 52);
            await client.HasAsync(server.Id, 62);
        }
        else
        {
            // A client that does not offer EBT may still open it.
            await client.HasAsync(server.Id, 61);
        }
    }

    [Fact]
    public async Task Feeds_that_become_wanted_are_pulled_too()
    {
        await using var client = new ReplicatingNode();
        await using var server = new ReplicatingNode(hasEbt: false);
        var feed = KeyPair.Generate();
        await server.PostAsync(feed, 5);
        await using var connection = ReplicatingNode.Connect(client, server);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        client.Scheduler.Ask(feed.Id);
        await client.HasAsync(feed.Id, 5);
        client.Scheduler.Forget(feed.Id);
        await Eventually.BecomesTrueAsync(() => server.History.WaitingCount == 1, "the stream to be aborted");
    }
}
