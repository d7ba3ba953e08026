namespace PiPub.Interop;

/// <summary>A block stops connections and feeds, whoever of the two sides it comes from.</summary>
public sealed class BlockTests
{
    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task Whom_PiPub_blocks_is_disconnected_shut_out_and_no_longer_replicated(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var nuisance = await network.StartAsync(stack);
        var friend = await network.StartAsync(stack);
        await pub.WelcomeAsync(nuisance);
        await pub.WelcomeAsync(friend);
        await friend.FollowAsync(nuisance.Id);
        var before = await nuisance.PublishAsync("Before the block");
        await friend.WaitForAsync(nuisance.Id, before.Sequence);

        await pub.CommandAsync("block", nuisance.Id);

        await Eventually.BecomesTrueAsync(async () => (await nuisance.PeersAsync()).Length == 0, "The blocked client is disconnected");
        await nuisance.PublishAsync("After the block");
        await ConnectInVainAsync(nuisance, pub);
        // The friend knows the nuisance's feed and would pass it on: the pub must not want it from anybody.
        await nuisance.ConnectAsync(friend.Address);
        await friend.WaitForAsync(nuisance.Id, before.Sequence + 1);
        await pub.WaitForAsync(friend.Id, (await friend.PublishAsync("They wrote again")).Sequence);
        Assert.True(await pub.SequenceAsync(nuisance.Id) <= before.Sequence);
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task Whom_PiPub_unblocks_may_come_back(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        await pub.WelcomeAsync(client);
        await pub.CommandAsync("block", client.Id);
        await Eventually.BecomesTrueAsync(async () => (await client.PeersAsync()).Length == 0, "The blocked client is disconnected");

        await pub.CommandAsync("follow", client.Id);
        await client.ConnectAsync(pub.Address);

        await pub.WaitForAsync(client.Id, (await client.PublishAsync("Friends again")).Sequence);
    }

    [Theory]
    [InlineData(Stack.Classic, Stack.Modern)]
    [InlineData(Stack.Modern, Stack.Classic)]
    public async Task Whom_a_member_blocks_does_not_get_the_members_feed_from_PiPub(Stack blockers, Stack blockeds)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var blocker = await network.StartAsync(blockers);
        var blocked = await network.StartAsync(blockeds);
        await pub.WelcomeAsync(blocker);
        await pub.WelcomeAsync(blocked);
        await blocked.FollowAsync(blocker.Id);
        var before = await blocker.PublishAsync("For everybody");
        await blocked.WaitForAsync(blocker.Id, before.Sequence);

        var block = await blocker.BlockAsync(blocked.Id);
        await pub.WaitForAsync(blocker.Id, block.Sequence);
        var after = await blocker.PublishManyAsync(5, "not for everybody");
        await pub.WaitForAsync(blocker.Id, after.Sequence);

        // The blocked one still gets the pub's own feed over the same connection, so the link works.
        var said = await pub.CommandAsync("publish", "--text", "Good evening");
        await blocked.WaitForAsync(pub.Id, said.GetProperty("value").GetProperty("sequence").GetInt64());
        Assert.True(await blocked.SequenceAsync(blocker.Id) <= block.Sequence, "The block itself may arrive, nothing after it.");

        // Nor on the next connection.
        await blocked.DisconnectAsync(pub.Id);
        await blocked.ConnectAsync(pub.Address);
        said = await pub.CommandAsync("publish", "--text", "Good night");
        await blocked.WaitForAsync(pub.Id, said.GetProperty("value").GetProperty("sequence").GetInt64());
        Assert.True(await blocked.SequenceAsync(blocker.Id) <= block.Sequence, "The blocked client got the feed on its next connection.");
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task A_client_that_blocks_PiPub_is_not_reached_by_it(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        await pub.WelcomeAsync(client);
        await client.WaitForAsync(pub.Id, 1);

        await client.BlockAsync(pub.Id);
        await client.DisconnectAsync(pub.Id);
        var (exitCode, _, _) = await pub.TryCommandAsync("connect", client.Address);
        await pub.CommandAsync("publish", "--text", "Nobody listens");

        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.Empty(await client.PeersAsync());
        Assert.NotEqual(0, exitCode);
        Assert.NotEqual(await pub.SequenceAsync(pub.Id), await client.SequenceAsync(pub.Id));
    }

    /// <summary>A refusal comes as an error of the call, or as a connection that ends at once: clients see both.</summary>
    private static async Task ConnectInVainAsync(JsPeer client, PiPubProcess pub)
    {
        try
        {
            await client.ConnectAsync(pub.Address);
        }
        catch (JsPeerException)
        {
            return;
        }
        await Eventually.BecomesTrueAsync(async () => (await client.PeersAsync()).Length == 0, "The blocked client's new connection ends");
    }
}
