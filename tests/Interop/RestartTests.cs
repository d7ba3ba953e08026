namespace PiPub.Interop;

/// <summary>A PiPub whose plug was pulled goes on where it was.</summary>
public sealed class RestartTests
{
    [Theory]
    [InlineData(Stack.Classic, true)]
    [InlineData(Stack.Classic, false)]
    [InlineData(Stack.Modern, true)]
    public async Task A_killed_PiPub_loses_nothing_and_does_not_fetch_again(Stack stack, bool ebt)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack, ebt);
        await client.RedeemAsync(await pub.CreateInviteAsync());
        await using var before = new CountingRelay(pub.Address);
        await client.ConnectAsync(before.Address);
        var last = await client.PublishManyAsync(1000, "kept");
        await pub.WaitForAsync(client.Id, last.Sequence);
        await client.WaitForAsync(pub.Id, 1);
        var own = await pub.SequenceAsync(pub.Id);

        await pub.KillAsync();
        await pub.StartAsync();

        Assert.Equal(last.Sequence, await pub.SequenceAsync(client.Id));
        Assert.Equal(own, await pub.SequenceAsync(pub.Id));
        await using var after = new CountingRelay(pub.Address);
        await client.ConnectAsync(after.Address);
        var next = await client.PublishAsync("After the power cut");
        await pub.WaitForAsync(client.Id, next.Sequence);
        await client.WaitForAsync(pub.Id, own);

        TestContext.Current.TestOutputHelper!.WriteLine($"to PiPub: {before.BytesToTarget} bytes before, {after.BytesToTarget} after");
        Assert.True(after.BytesToTarget < before.BytesToTarget / 10, "PiPub fetched again what it held.");
    }

    [Fact]
    public async Task A_stopped_PiPub_stops_at_once_and_goes_on_with_its_invites_and_follows()
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartModernAsync();
        var invite = await pub.CreateInviteAsync();

        await pub.StopAsync();
        await pub.StartAsync();
        await client.RedeemAsync(invite);
        await pub.StopAsync();
        await pub.StartAsync();

        await client.ConnectAsync(pub.Address);
        await pub.WaitForAsync(client.Id, (await client.PublishAsync("Still a member")).Sequence);
    }
}
