using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds;
using static PiPub.Node.Intake.IntakeVerdict;

namespace PiPub.Node.Tests.Intake;

/// <summary>Two messages of one author for one place: whichever comes first stays, the feed stops, the proof is kept.</summary>
public sealed class ForkTests
{
    private static readonly TestAuthor Eve = new(3);
    private static readonly List<Message> Trunk = Eve.WriteFeed(3);
    private static readonly List<Message> Left = Eve.WriteFeed(6, "left", Trunk);
    private static readonly List<Message> Right = Eve.WriteFeed(6, "right", Trunk);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_messages_of_one_sequence_fork_whichever_came_first(bool leftFirst)
    {
        await using var door = new TestDoor();
        var (first, second) = leftFirst ? (Left, Right) : (Right, Left);
        await door.SubmitAsync(first.Take(4));
        Assert.Equal([Forked], await door.SubmitAsync(second[3]));
        AssertStopped(door, first, 4, first[3], second[3]);
        Assert.Equal([Forked, Forked, Forked], await door.SubmitAsync(first[4], second[4], first[0]));
        Assert.Equal(4, door.Store.Tip(Eve.Id).Sequence);
    }

    [Fact]
    public async Task A_message_that_follows_another_history_forks()
    {
        await using var door = new TestDoor();
        await door.SubmitAsync(Left.Take(4));
        Assert.Equal([Forked], await door.SubmitAsync(Right[4]));
        AssertStopped(door, Left, 4, Left[3], Right[4]);
    }

    [Fact]
    public async Task An_old_sequence_with_another_message_forks()
    {
        await using var door = new TestDoor();
        await door.SubmitAsync(Left);
        Assert.Equal([Forked], await door.SubmitAsync(Right[3]));
        AssertStopped(door, Left, 4, Left[3], Right[3], held: 6);
    }

    [Fact]
    public async Task Two_messages_that_wait_for_one_place_fork_before_their_feed_has_got_there()
    {
        await using var door = new TestDoor();
        Assert.Equal([Waiting, Forked], await door.SubmitAsync(Left[4], Right[4]));
        AssertStopped(door, Left, 5, Left[4], Right[4], held: 0);
    }

    [Fact]
    public async Task A_waiting_message_of_another_history_forks_when_its_turn_comes()
    {
        await using var door = new TestDoor();
        Assert.Equal([Waiting], await door.SubmitAsync(Right[4]));
        Assert.Equal([Appended, Appended, Appended, Appended], await door.SubmitAsync(Left.Take(4)));
        AssertStopped(door, Left, 4, Left[3], Right[4]);
    }

    [Fact]
    public async Task A_fork_within_one_batch_is_found()
    {
        await using var door = new TestDoor(start: false);
        var submitting = door.SubmitAsync(Left[0], Left[1], Left[2], Left[3], Right[3], Left[4]);
        door.Intake.Start();
        Assert.Equal([Appended, Appended, Appended, Appended, Forked, Forked], await submitting);
        AssertStopped(door, Left, 4, Left[3], Right[3]);
    }

    [Fact]
    public async Task A_forged_message_forks_nothing()
    {
        await using var door = new TestDoor();
        await door.SubmitAsync(Left.Take(4));
        var forged = Right[3].Value.ToArray();
        forged[^30] = (byte)(forged[^30] == 'A' ? 'B' : 'A');
        Assert.Equal([Invalid, Appended], await door.SubmitAsync(forged, Left[4].Value));
        Assert.Equal(0, door.Forks.Count);
    }

    [Fact]
    public async Task Other_feeds_go_on_and_a_person_can_forget_a_fork()
    {
        await using var door = new TestDoor();
        await door.SubmitAsync(Left.Take(4));
        await door.SubmitAsync(Right[3]);
        Assert.Equal([Appended, Appended], await door.SubmitAsync(new TestAuthor(4).WriteFeed(2)));
        Assert.True(door.Forks.Remove(Eve.Id));
        Assert.Equal([Appended, Appended], await door.SubmitAsync(Left[4], Left[5]));
        Assert.Null(door.Forks.ProofOf(Eve.Id));
    }

    private static void AssertStopped(TestDoor door, List<Message> stays, int sequence, Message heldMessage, Message other, int? held = null)
    {
        Assert.Equal(stays.Take(held ?? sequence).Select(m => m.Value.ToArray()), door.Stored(Eve.Id));
        var status = door.Statuses.Of(Eve.Id);
        Assert.Equal(FeedState.Forked, status.State);
        Assert.Contains($"claim the place {sequence}", status.Words.ToString(), StringComparison.Ordinal);

        // The proof outlives a restart.
        var proof = Assert.Single(door.ReopenForks().All());
        Assert.True(door.Forks.IsForked(Eve.Id));
        Assert.Equal((Eve.Id, sequence), (proof.Feed, proof.Sequence));
        Assert.Equal(heldMessage.Value.ToArray(), proof.Held.ToArray());
        Assert.Equal(other.Value.ToArray(), proof.Other.ToArray());
    }
}
