using System.Security.Cryptography;

namespace PiPub.Interop;

/// <summary>Clients come in by invite codes: ssb-invite 3 on the classic stack, ssb-invite-client 1.3 on the modern one.</summary>
public sealed class InviteTests
{
    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task A_client_redeems_an_invite_and_is_followed_and_replicated(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);

        await client.RedeemAsync(await pub.CreateInviteAsync());
        await client.ConnectAsync(pub.Address);
        var post = await client.PublishAsync("Thank you for the invitation");

        await pub.WaitForAsync(client.Id, post.Sequence);
        await client.WaitForAsync(pub.Id, 1);
        var follow = await FindFollowAsync(client, pub.Id, client.Id);
        Assert.True(follow, "The pub's feed, as the client got it, holds no follow of the client.");
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task The_first_invite_of_a_fresh_box_is_redeemed_like_any_other(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var owner = await network.StartAsync(stack);

        Assert.NotNull(pub.Invite);
        await owner.RedeemAsync(pub.Invite);
        await owner.ConnectAsync(pub.Address);
        var post = await owner.PublishAsync("My own box");

        await pub.WaitForAsync(owner.Id, post.Sequence);
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task A_spent_invite_is_refused_to_somebody_else_in_words_that_reach_them(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var first = await network.StartAsync(stack);
        var second = await network.StartAsync(stack);
        var invite = await pub.CreateInviteAsync(uses: 1);
        await first.RedeemAsync(invite);

        var refusal = await Assert.ThrowsAsync<JsPeerException>(() => second.RedeemAsync(invite));

        TestContext.Current.TestOutputHelper!.WriteLine(refusal.Message);
        Assert.Contains("invite", refusal.Message);
        Assert.Contains("used", refusal.Message);
        Assert.Equal(0, await pub.SequenceAsync(second.Id));
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task An_invite_that_was_never_made_is_refused_in_words_that_reach_the_client(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var stranger = await network.StartAsync(stack);
        var real = await pub.CreateInviteAsync();
        var bogus = $"{real[..(real.LastIndexOf('~') + 1)]}{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}";

        var refusal = await Assert.ThrowsAsync<JsPeerException>(() => stranger.RedeemAsync(bogus));

        TestContext.Current.TestOutputHelper!.WriteLine(refusal.Message);
        Assert.DoesNotContain("not in list of allowed methods", refusal.Message);
        Assert.Contains("invite", refusal.Message);
        Assert.Equal(0, await pub.SequenceAsync(stranger.Id));
    }

    [Theory]
    [InlineData(Stack.Classic)]
    [InlineData(Stack.Modern)]
    public async Task The_same_client_may_redeem_the_same_invite_again(Stack stack)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var client = await network.StartAsync(stack);
        var other = await network.StartAsync(stack);
        var invite = await pub.CreateInviteAsync(uses: 2);

        await client.RedeemAsync(invite);
        await client.RedeemAsync(invite);
        await other.RedeemAsync(invite);
        await other.ConnectAsync(pub.Address);
        await pub.WaitForAsync(other.Id, (await other.PublishAsync("The second use was mine")).Sequence);
    }

    private static async Task<bool> FindFollowAsync(JsPeer reader, string author, string followed)
    {
        var latest = await reader.SequenceAsync(author);
        for (var sequence = 1L; sequence <= latest; sequence++)
        {
            var content = (await reader.ReadAsync(author, sequence)).GetProperty("signed").GetProperty("content");
            if (content.GetProperty("type").GetString() == "contact" && content.GetProperty("contact").GetString() == followed
                && content.GetProperty("following").GetBoolean())
                return true;
        }
        return false;
    }
}
