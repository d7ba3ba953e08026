namespace PiPub.Tests;

public sealed class TwoBoxesTests
{
    [Fact]
    public async Task Two_boxes_on_one_machine_follow_each_other()
    {
        using var directory = new TemporaryDirectory();
        await using var one = await RunningBox.StartAsync(directory.In("one"));
        await using var two = await RunningBox.StartAsync(directory.In("two"));
        Assert.NotEqual(one.Id, two.Id);

        await one.DoAsync("publish", "--text", "hello, two");
        await one.DoAsync("follow", two.Id);
        await two.DoAsync("follow", one.Id);
        Assert.Equal("Connected.", await two.DoAsync("connect", one.Address));
        await RunningBox.UntilAsync(async () => await CountAsync(one) == 3 && await CountAsync(two) == 3);

        // Live, over the same connection.
        await one.DoAsync("publish", "--text", "again");
        await RunningBox.UntilAsync(async () => await CountAsync(two) == 4);
        Assert.Contains(one.Id, await two.DoAsync("peers"), StringComparison.Ordinal);
        Assert.Contains("connected", await two.DoAsync("peers"), StringComparison.Ordinal);

        // A block ends it.
        await one.DoAsync("block", two.Id);
        await RunningBox.UntilAsync(async () => (await two.AskAsync("status")).GetProperty("peersConnected").GetInt32() == 0);
        Assert.Equal(1, (await RunningBox.CommandAsync(two.Directory, "connect", one.Address)).ExitCode);
    }

    [Fact]
    public async Task A_configured_peer_is_sought_without_being_asked()
    {
        using var directory = new TemporaryDirectory();
        await using var one = await RunningBox.StartAsync(directory.In("one"));
        await using var two = await RunningBox.StartAsync(directory.In("two"), "--connect", one.Address);
        await RunningBox.UntilAsync(async () => (await one.AskAsync("status")).GetProperty("peersConnected").GetInt32() == 1);
    }

    [Fact]
    public async Task A_box_of_another_network_is_not_let_in()
    {
        using var directory = new TemporaryDirectory();
        await using var one = await RunningBox.StartOnAsync("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", directory.In("one"));
        await using var two = await RunningBox.StartAsync(directory.In("two"));
        var (code, _, errors) = await RunningBox.CommandAsync(two.Directory, "connect", one.Address);
        Assert.Equal(1, code);
        Assert.NotEmpty(errors);
    }

    private static async Task<int> CountAsync(RunningBox box) => (await box.AskAsync("status")).GetProperty("messages").GetInt32();
}
