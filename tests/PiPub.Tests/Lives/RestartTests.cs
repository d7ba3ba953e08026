using System.Net;
using PiPub.Tests.Face;

namespace PiPub.Tests.Lives;

/// <summary>A box ends and begins again within its process.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_box_restarts_as_itself_at_the_same_ports_and_browsers_stay_signed_in()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        await box.DoAsync("publish", "--text", "still here?");
        var before = box.Start;

        Assert.Equal("The box has restarted.", await box.DoAsync("restart"));
        await box.RestartedAsync();

        Assert.Equal(before.GetProperty("id").GetString(), box.Id);
        Assert.Equal(before.GetProperty("address").GetString(), box.Address);
        Assert.Equal(before.GetProperty("web").GetInt32(), box.Start.GetProperty("web").GetInt32());
        Assert.Equal(1, (await box.AskAsync("status")).GetProperty("messages").GetInt32());
        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync("/settings")).StatusCode);
        await box.DoAsync("restart");
        await box.RestartedAsync(2);
        Assert.Equal(before.GetProperty("id").GetString(), box.Id);
    }

    [Fact]
    public async Task The_configuration_is_read_anew()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        Assert.Equal(5_000_000_000, (await box.AskAsync("status")).GetProperty("blobQuotaBytes").GetInt64());
        await File.WriteAllTextAsync(_directory.In("pipub.conf"), "blob-quota = 2GB\n", TestContext.Current.CancellationToken);
        await box.DoAsync("restart");
        Assert.Equal(2_000_000_000, (await box.AskAsync("status")).GetProperty("blobQuotaBytes").GetInt64());
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_used_is_refused_and_the_box_goes_on()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        await File.WriteAllTextAsync(_directory.In("pipub.conf"), "blob-quota = plenty\n", TestContext.Current.CancellationToken);
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "whoami");
        Assert.Equal(2, code);
        Assert.Contains("blob-quota", errors, StringComparison.Ordinal);
        await using var session = await box.ConnectAsync();
        var refused = await Assert.ThrowsAsync<Scuttlebutt.MuxRpc.RpcException>(() => session.CallAsync("box.restart", "[]"u8.ToArray(), TestContext.Current.CancellationToken));
        Assert.Contains("\"blob-quota\" cannot be \"plenty\"", refused.Message, StringComparison.Ordinal);
        Assert.NotEqual(0, (await session.CallAsync("whoami", "[]"u8.ToArray(), TestContext.Current.CancellationToken)).Bytes.Length);
    }

    [Fact]
    public async Task A_box_that_cannot_start_again_ends_with_an_error()
    {
        var box = await RunningBox.StartAsync(_directory.Path);
        await box.DoAsync("publish", "--text", "one");
        File.Delete(_directory.In("secret"));
        await using (var session = await box.ConnectAsync())
        {
            await session.CallAsync("box.restart", "[]"u8.ToArray(), TestContext.Current.CancellationToken);
        }

        Assert.Equal(1, await box.EndedAsync());
        Assert.Contains("secret", box.Errors, StringComparison.Ordinal);
    }
}
