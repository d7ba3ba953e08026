using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Tests.Face;

namespace PiPub.Tests.Lives;

/// <summary>A box that begins anew forgets everything, and touches nothing that is not its own.</summary>
public sealed class FactoryResetTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_running_box_becomes_a_new_one()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        await FillAsync(box);
        await File.WriteAllTextAsync(_directory.In("pipub.conf"), "# mine\nhops = 3\n", Stop);
        var (id, code) = (box.Id, box.Start.GetProperty("claimCode").GetString());

        StartActions.Stage(_directory.Path, FactoryReset.Name);
        await box.DoAsync("restart");
        await box.RestartedAsync();

        Assert.NotEqual(id, box.Id);
        Assert.NotEqual(code, box.Start.GetProperty("claimCode").GetString());
        Assert.True(box.Start.TryGetProperty("invite", out _));
        var status = await box.AskAsync("status");
        Assert.Equal((0, 0), (status.GetProperty("messages").GetInt32(), status.GetProperty("blobBytes").GetInt32()));
        Assert.Equal("# mine\n", await File.ReadAllTextAsync(_directory.In("pipub.conf"), Stop));
        Assert.False(File.Exists(_directory.In("at-start")));
        var page = await owner.GetAsync("/");
        Assert.Equal((HttpStatusCode.Redirect, "/claim"), (page.StatusCode, page.Headers.Location!.ToString()));
        Assert.Equal(1, (await box.AskAsync("publish", "--text", "hello?")).GetProperty("value").GetProperty("sequence").GetInt32());
    }

    [Fact]
    public async Task Every_file_that_a_box_makes_is_known_as_its_own()
    {
        await using var box = await RunningBox.StartAsync(_directory.Path);
        using var owner = new Visitor(box);
        await owner.ClaimAsync(box, "correct horse");
        await FillAsync(box);
        // Made here, and by whoever configures it: the configuration is gone through line by line.
        var unknown = Directory.EnumerateFileSystemEntries(_directory.Path, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(_directory.Path, path))
            .Where(static path => path != ConfigurationReader.FileName && !BoxContents.IsOwn(path));
        Assert.Empty(unknown);
    }

    [Fact]
    public async Task What_others_put_there_stays_and_secrets_are_overwritten_before_they_go()
    {
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            await FillAsync(box);
        }

        string[] foreign = ["notes.txt", "secret.backup", "log/readme", "blobs/sha256/photo.jpg", "keys/my.key", "uploads/cat.png", "backups/one.pipub-backup", "mine/secret", "state.sqlite.old"];
        foreach (var path in (string[])["mine", "uploads", "backups", "keys"])
        {
            Directory.CreateDirectory(_directory.In(path));
        }

        foreach (var path in foreign)
        {
            await File.WriteAllTextAsync(_directory.In(path), path, Stop);
        }

        // A second name for the same bytes shows what is left of them.
        var secret = await File.ReadAllBytesAsync(_directory.In("secret"), Stop);
        using var link = System.Diagnostics.Process.Start("ln", [_directory.In("secret"), _directory.In("mine/linked")]);
        await link.WaitForExitAsync(Stop);

        Apply();

        Assert.Equal(
            [.. foreign.Order(StringComparer.Ordinal), "mine/linked"],
            Directory.EnumerateFiles(_directory.Path, "*", SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(_directory.Path, path)).Where(static path => path != "lock").OrderBy(static path => path == "mine/linked").ThenBy(static path => path, StringComparer.Ordinal));
        Assert.All(foreign, path => Assert.Equal(path, File.ReadAllText(_directory.In(path))));
        var left = await File.ReadAllBytesAsync(_directory.In("mine/linked"), Stop);
        Assert.Equal(secret.Length, left.Length);
        Assert.NotEqual(secret, left);
        Assert.False(Directory.Exists(_directory.In("clocks")));
    }

    [Fact]
    public async Task A_reset_that_was_interrupted_comes_to_its_end_at_the_next_start()
    {
        string id;
        await using (var box = await RunningBox.StartAsync(_directory.Path))
        {
            id = box.Id;
            await FillAsync(box);
        }

        StartActions.Stage(_directory.Path, FactoryReset.Name);
        // As if the plug had been pulled in the middle: without its secret, a box with messages would not start.
        File.Delete(_directory.In("secret"));
        await using var again = await RunningBox.StartAsync(_directory.Path);
        Assert.NotEqual(id, again.Id);
        Assert.Equal(0, (await again.AskAsync("status")).GetProperty("messages").GetInt32());
    }

    [Fact]
    public async Task What_a_start_does_not_know_stops_it_with_what_to_do()
    {
        Directory.CreateDirectory(_directory.Path);
        StartActions.Stage(_directory.Path, "dance");
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.Path, "run", "--ssb-port", "0", "--web-port", "0", "--min-free-space", "1MB");
        Assert.Equal(1, code);
        Assert.Contains("at-start asks for something that this version of PiPub does not know", errors, StringComparison.Ordinal);
    }

    private static async Task FillAsync(RunningBox box)
    {
        await box.DoAsync("publish", "--text", "one");
        await box.DoAsync("invite", "create");
        var file = Path.Combine(box.Directory, "../blob");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(box.Id), Stop);
        await box.DoAsync("blobs", "add", file);
        File.Delete(file);
    }

    private void Apply()
    {
        StartActions.Stage(_directory.Path, FactoryReset.Name);
        Assert.True(StartActions.Apply(new PiPubOptions { DataDirectory = _directory.Path, ConfigurationFile = _directory.In("pipub.conf") }, NullLogger.Instance));
        Assert.False(StartActions.Apply(new PiPubOptions { DataDirectory = _directory.Path }, NullLogger.Instance));
    }
}
