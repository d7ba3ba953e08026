using System.Diagnostics;
using System.Text.Json;

namespace PiPub.Tests;

public sealed class StartAndStopTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_box_that_starts_again_is_the_same_box_with_the_same_messages()
    {
        string id;
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            id = box.Id;
            await box.DoAsync("publish", "--text", "still here?");
        }

        Assert.False(File.Exists(_directory.In("socket")));
        await using var again = await RunningBox.StartAsync(_directory.Path);
        Assert.Equal(id, again.Id);
        Assert.Equal(1, (await again.AskAsync("status")).GetProperty("messages").GetInt32());
        Assert.Equal(2, (await again.AskAsync("publish", "--text", "yes")).GetProperty("value").GetProperty("sequence").GetInt32());
    }

    [Fact]
    public async Task Views_that_are_missing_or_damaged_are_made_again()
    {
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            await box.DoAsync("publish", "--text", "one");
        }

        foreach (var damage in (Action[])[() => File.Delete(_directory.In("views.sqlite")), () => File.WriteAllText(_directory.In("views.sqlite"), "this is no database")])
        {
            damage();
            await using var box = await RunningBox.StartAsync(_directory.Path);
            Assert.Equal(1, (await box.AskAsync("status")).GetProperty("messages").GetInt32());
            Assert.True((await box.AskAsync("verify")).GetProperty("clean").GetBoolean());
        }
    }

    [Fact]
    public async Task A_second_node_on_the_same_data_directory_is_refused()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        var (code, output, errors) = await RunningBox.CommandAsync(_directory.Path, "run", "--ssb-port", "0", "--web-port", "0");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains($"PiPub is already running on {_directory.Path}", errors, StringComparison.Ordinal);
        Assert.Equal(box.Id, await box.DoAsync("whoami"));
    }

    [Fact]
    public async Task A_full_disk_is_refused_with_what_is_needed()
    {
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.In("box"), "run", "--min-free-space", "9000TB");
        Assert.Equal(1, code);
        Assert.Contains("too full to start safely", errors, StringComparison.Ordinal);
        Assert.Contains("are needed", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.In("box/secret")));
    }

    [Fact]
    public async Task A_taken_port_is_refused_with_what_to_do()
    {
        await using var box = await RunningBox.StartAsync(_directory.In("one"));
        var port = box.Start.GetProperty("ssb").GetInt32();
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.In("two"), "run", "--ssb-port", $"{port}", "--ssb-bind", "127.0.0.1", "--web-port", "0", "--min-free-space", "1MB");
        Assert.Equal(1, code);
        Assert.Contains("ssb-port", errors, StringComparison.Ordinal);
        Assert.Contains($"{port}", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_without_their_secret_do_not_become_another_box()
    {
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            await box.DoAsync("publish", "--text", "one");
        }

        File.Delete(_directory.In("secret"));
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "run");
        Assert.Equal(1, code);
        Assert.Contains("the box's secret is missing", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_directory.In("secret")));
    }

    [Fact]
    public async Task A_damaged_state_is_refused_with_what_to_do()
    {
        await using (await RunningBox.StartAsync(_directory.Path))
        {
        }

        File.WriteAllText(_directory.In("state.sqlite"), "this is no database, and long enough that nobody takes it for an empty one");
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "run", "--min-free-space", "1MB");
        Assert.Equal(1, code);
        Assert.Contains("state.sqlite cannot be used", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_node_commands_say_how_to_start_one()
    {
        foreach (var command in (string[][])[["whoami"], ["status"], ["peers"], ["publish", "--text", "x"]])
        {
            var (code, output, errors) = await RunningBox.CommandAsync(_directory.Path, command);
            Assert.Equal((1, ""), (code, output));
            Assert.Contains($"No PiPub node is running on {_directory.Path}. Start it with: pipub run", errors, StringComparison.Ordinal);
        }

        var json = await RunningBox.CommandAsync(_directory.Path, "whoami", "--json");
        Assert.Contains("No PiPub node", JsonElement.Parse(json.Errors).GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_finds_damage_in_a_stopped_box_and_salvage_goes_round_it()
    {
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            for (var i = 0; i < 5; i++)
            {
                await box.DoAsync("publish", "--text", $"message {i}");
            }
        }

        Assert.Contains("all is whole", (await RunningBox.CommandAsync(_directory.Path, "verify")).Output, StringComparison.Ordinal);
        var segment = Directory.GetFiles(_directory.In("log")).Single();
        var bytes = await File.ReadAllBytesAsync(segment, TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf("message 2"u8)] ^= 1;
        await File.WriteAllBytesAsync(segment, bytes, TestContext.Current.CancellationToken);

        var (code, output, _) = await RunningBox.CommandAsync(_directory.Path, "verify", "--json");
        Assert.Equal(1, code);
        Assert.False(JsonElement.Parse(output).GetProperty("clean").GetBoolean());

        Assert.Equal(0, (await RunningBox.CommandAsync(_directory.Path, "verify", "--salvage")).ExitCode);
        Assert.Equal(0, (await RunningBox.CommandAsync(_directory.Path, "verify")).ExitCode);
        await using var salvaged = await RunningBox.StartAsync(_directory.Path);
        Assert.Equal(2, (await salvaged.AskAsync("status")).GetProperty("messages").GetInt32());

        // Its own newest messages may be with peers still: it must not write over them.
        Assert.Equal(1, (await RunningBox.CommandAsync(_directory.Path, "publish", "--text", "x")).ExitCode);
        Assert.Equal(3, (await salvaged.AskAsync("publish", "--text", "x", "--give-up-missing")).GetProperty("value").GetProperty("sequence").GetInt32());
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_stops_it_in_order(string signal)
    {
        using var process = new Process
        {
            // Who runs the tests in the background has signals ignored by everything that they start.
            StartInfo = new ProcessStartInfo("env", [$"--default-signal={signal}", Path.Combine(AppContext.BaseDirectory, "pipub"), .. RunningBox.RunArguments(_directory.Path)])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        process.Start();
        var listening = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Equal("listening", JsonElement.Parse(listening!).GetProperty("event").GetString());
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        Assert.EndsWith("{\"event\":\"stopped\"}\n", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal("", await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }
}
