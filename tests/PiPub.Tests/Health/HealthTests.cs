using System.Text.Json;

namespace PiPub.Tests.Health;

/// <summary><c>pipub health</c> of a box that is well, of one that is not, and of none.</summary>
public sealed class HealthTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_box_that_is_well_says_so()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        await box.DoAsync("publish", "--text", "well");
        var health = await box.AskAsync("health");
        Assert.True(health.GetProperty("healthy").GetBoolean(), health.GetRawText());
        Assert.Equal(["page", "peers", "log", "lights"], health.GetProperty("checks").EnumerateArray().Select(check => check.GetProperty("name").GetString()));
        Assert.All(await LinesAsync(box), line => Assert.StartsWith("good  ", line, StringComparison.Ordinal));
        // A call of its own is nobody's visit.
        Assert.Equal(0, (await box.AskAsync("status")).GetProperty("peersConnected").GetInt32());
    }

    [Fact]
    public async Task A_log_whose_end_is_damaged_is_not_well()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        await box.DoAsync("publish", "--text", "one");
        await box.DoAsync("publish", "--text", "two");
        var segment = Assert.Single(Directory.GetFiles(_directory.In("log")));
        await using (var file = new FileStream(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            file.Seek(-20, SeekOrigin.End);
            file.WriteByte((byte)'!');
        }

        var (code, output, _) = await RunningBox.CommandAsync(_directory.Path, "health", "--json");
        Assert.Equal(1, code);
        var health = JsonElement.Parse(output);
        Assert.False(health.GetProperty("healthy").GetBoolean());
        Assert.Equal(["log"], health.GetProperty("checks").EnumerateArray().Where(check => !check.GetProperty("good").GetBoolean()).Select(check => check.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Where_no_box_runs_nothing_is_well()
    {
        var (code, output, _) = await RunningBox.CommandAsync(_directory.Path, "health", "--json");
        Assert.Equal(1, code);
        var check = Assert.Single(JsonElement.Parse(output).GetProperty("checks").EnumerateArray());
        Assert.Equal("node", check.GetProperty("name").GetString());
        Assert.Contains("No PiPub node is running", check.GetProperty("words").GetString(), StringComparison.Ordinal);
    }

    private static async Task<string[]> LinesAsync(RunningBox box) => (await box.DoAsync("health")).Split('\n');
}
