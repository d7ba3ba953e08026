namespace PiPub.Interop;

/// <summary>The JavaScript peers among themselves, with a JavaScript pub: what fails in other tests is then not the harness.</summary>
public sealed class HarnessTests
{
    [Theory]
    [InlineData(Stack.Modern, Stack.Classic)]
    [InlineData(Stack.Classic, Stack.Modern)]
    public async Task JavaScript_peers_meet_through_a_JavaScript_pub(Stack writers, Stack readers)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartClassicAsync();
        var writer = await network.StartAsync(writers);
        var reader = await network.StartAsync(readers);
        foreach (var peer in new[] { writer, reader })
        {
            await peer.RedeemAsync(await pub.CreateInviteAsync(uses: 1));
            await peer.ConnectAsync(pub.Address);
        }
        await reader.FollowAsync(writer.Id);

        var last = await writer.PublishManyAsync(200, "harness");
        await reader.WaitForAsync(writer.Id, last.Sequence);

        Assert.Equal(last.Key, (await reader.ReadAsync(writer.Id, last.Sequence)).GetProperty("key").GetString());
    }

    [Fact]
    public async Task Peers_with_another_network_key_do_not_meet()
    {
        await using var network = new TestNetwork();
        await using var other = new TestNetwork();
        var here = await network.StartModernAsync();
        var there = await other.StartModernAsync();

        await Assert.ThrowsAsync<JsPeerException>(() => here.ConnectAsync(there.Address));
    }
}
