using System.Globalization;

namespace PiPub.Interop;

/// <summary>What one client publishes reaches another one that is connected to PiPub only.</summary>
public sealed class FeedReplicationTests
{
    [Theory]
    [InlineData(Stack.Classic, Stack.Classic)]
    [InlineData(Stack.Classic, Stack.Modern)]
    [InlineData(Stack.Modern, Stack.Classic)]
    [InlineData(Stack.Modern, Stack.Modern)]
    public async Task A_thousand_messages_travel_through_PiPub_by_EBT(Stack writers, Stack readers)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartAsync(writers);
        var reader = await network.StartAsync(readers);
        await PassThousandMessagesAsync(pub, writer, reader);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_thousand_messages_travel_through_PiPub_by_createHistoryStream(bool writerHasEbt, bool readerHasEbt)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartClassicAsync(ebt: writerHasEbt);
        var reader = await network.StartClassicAsync(ebt: readerHasEbt);
        await PassThousandMessagesAsync(pub, writer, reader);
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task What_was_published_while_away_arrives_on_the_next_connection(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartAsync(stack);
        var reader = await network.StartAsync(stack);
        await pub.WelcomeAsync(writer);
        await pub.WelcomeAsync(reader);
        await reader.FollowAsync(writer.Id);
        var early = await writer.PublishManyAsync(20, "early");
        await reader.WaitForAsync(writer.Id, early.Sequence);

        await reader.DisconnectAsync(pub.Id);
        var missed = await writer.PublishManyAsync(20, "missed");
        await pub.WaitForAsync(writer.Id, missed.Sequence);
        await reader.ConnectAsync(pub.Address);

        await reader.WaitForAsync(writer.Id, missed.Sequence);
    }

    /// <summary>As neighbours do on a LAN. Which connection stays, and whether the peer's EBT outlives the other, is a matter of luck.</summary>
    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task Two_that_dial_each_other_at_once_replicate_all_the_same(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var peer = await network.StartAsync(stack);
        await pub.WelcomeAsync(peer);
        await peer.FollowAsync(pub.Id);
        for (var round = 1; round <= 5; round++)
        {
            await peer.DisconnectAsync(pub.Id);
            var dialled = pub.TryCommandAsync("connect", peer.Address);
            await Task.WhenAny(peer.ConnectAsync(pub.Address));
            await dialled;

            var post = await peer.PublishAsync($"round {round}");
            await pub.WaitForAsync(peer.Id, post.Sequence);
            await pub.CommandAsync("publish", "--text", $"answer {round}");
            await peer.WaitForAsync(pub.Id, await pub.SequenceAsync(pub.Id));
        }
    }

    [Theory]
    [InlineData(Stack.Classic, Stack.Modern)]
    [InlineData(Stack.Modern, Stack.Classic)]
    public async Task Live_messages_arrive_one_by_one(Stack writers, Stack readers)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartAsync(writers);
        var reader = await network.StartAsync(readers);
        await pub.WelcomeAsync(writer);
        await pub.WelcomeAsync(reader);
        await reader.FollowAsync(writer.Id);
        await reader.WaitForAsync(writer.Id, (await writer.PublishAsync("Are you there?")).Sequence);

        var delays = new List<long>();
        for (var i = 0; i < 10; i++)
        {
            var post = await writer.PublishAsync($"Live message {i}");
            delays.Add(await reader.WaitForAsync(writer.Id, post.Sequence) - post.At);
        }

        delays.Sort();
        TestContext.Current.TestOutputHelper!.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{writers} to {readers} through PiPub: median {delays[delays.Count / 2]} ms, longest {delays[^1]} ms"));
    }

    private static async Task PassThousandMessagesAsync(PiPubProcess pub, JsPeer writer, JsPeer reader)
    {
        await pub.WelcomeAsync(writer);
        await pub.WelcomeAsync(reader);
        await reader.FollowAsync(writer.Id);

        var last = await writer.PublishManyAsync(1000, "thousand");
        await reader.WaitForAsync(writer.Id, last.Sequence);

        Assert.Equal(last.Key, (await reader.ReadAsync(writer.Id, last.Sequence)).GetProperty("key").GetString());
        Assert.Equal([pub.Id], await reader.PeersAsync());
    }
}
