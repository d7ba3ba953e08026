namespace PiPub.Interop;

/// <summary>Messages that PiPub cannot read pass through it byte for byte: their recipient decrypts them.</summary>
public sealed class PrivateMessageTests
{
    [Theory]
    [InlineData(Stack.Classic, Stack.Modern, "box")]
    [InlineData(Stack.Modern, Stack.Classic, "box")]
    [InlineData(Stack.Modern, Stack.Modern, "box2")]
    public async Task A_private_message_is_read_by_its_recipient(Stack writers, Stack readers, string format)
    {
        await using var network = new TestNetwork();
        var pub = await network.StartPiPubAsync();
        var writer = await network.StartAsync(writers);
        var reader = await network.StartAsync(readers);
        await pub.WelcomeAsync(writer);
        await pub.WelcomeAsync(reader);
        await reader.FollowAsync(writer.Id);

        var letter = await writer.PublishPrivateAsync("For your eyes only: żółw 🐢", format, reader.Id, writer.Id);
        await reader.WaitForAsync(writer.Id, letter.Sequence);

        var read = await reader.ReadAsync(writer.Id, letter.Sequence);
        Assert.Equal("For your eyes only: żółw 🐢", read.GetProperty("value").GetProperty("content").GetProperty("text").GetString());
        Assert.EndsWith("." + format, read.GetProperty("signed").GetProperty("content").GetString());
    }
}
