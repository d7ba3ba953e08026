using System.Security.Cryptography;
using System.Text.Json;
using PiPub.Interop;

namespace PiPub.Hostile.Faults;

/// <summary>Disks that are full, fail, or forget; plugs that are pulled. What the box had said it holds, it holds, and it says what is damaged.</summary>
public sealed class DiskTests
{
    private const int NoSpace = 28;
    private const int InputOutput = 5;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(NoSpace, 1)]
    [InlineData(InputOutput, 3)]
    public async Task Writes_that_fail_lose_nothing_that_a_reader_has(int error, int oneIn)
    {
        var directory = Directory.CreateTempSubdirectory("pipub-faulty-").FullName;
        var (plan, within) = await FaultPlan.MakeAsync(directory);
        using var faults = plan;
        await using var target = await Target.StartAsync(within, directory);
        var (file, phrase, backup) = (Path.Combine(directory, "a-picture"), Path.Combine(directory, "a-phrase"), Path.Combine(directory, "a-backup"));
        await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(300_000), Stop);
        await File.WriteAllTextAsync(phrase, "correct horse battery staple\n", Stop);
        string? blob = null;
        await using (var friend = await Friend.ComeAsync(target))
        {
            _ = await friend.SyncAsync(300);
            plan.Set(error, oneIn);
            var held = friend.SyncAsync(300);
            await Task.Delay(2000, Stop);

            // Every other thing that writes, while nothing can be written: it fails in words or succeeds, and the box lives.
            await TryAsync("invite", "create");
            await TryAsync("publish", """{"type":"post","text":"on a full disk"}""");
            await TryAsync("status");
            if (await TryAsync("blobs", "add", file) is { } added)
                blob = JsonDocument.Parse(added).RootElement.GetProperty("id").GetString();
            await TryAsync("backup", "create", backup, "--passphrase-file", phrase);
            plan.Set(0);
            _ = await held;
            Assert.True(friend.Arrived >= 600);
        }

        await target.Box.KillAsync();
        await target.Box.StartAsync();
        Assert.True(await target.Box.SequenceAsync(Friend.Id.ToString()) >= 600, "The box lost what a reader had from it.");
        await target.VerifyAsync();

        // What it had taken, it has; what it had refused, it takes now.
        blob ??= (await target.Box.CommandAsync("blobs", "add", file)).GetProperty("id").GetString();
        var copy = Path.Combine(directory, "a-copy");
        _ = await target.Box.CommandAsync("blobs", "get", blob!, "-o", copy);
        Assert.Equal(await File.ReadAllBytesAsync(file, Stop), await File.ReadAllBytesAsync(copy, Stop));
        File.Delete(backup);
        _ = await target.Box.CommandAsync("backup", "create", backup, "--passphrase-file", phrase);

        async Task<string?> TryAsync(params string[] command)
        {
            var (code, output, errors) = await target.Box.TryCommandAsync(command);
            if (code == 0)
                return output;
            Assert.True(errors.Trim().Length > 20 && !errors.Contains("   at ", StringComparison.Ordinal), $"pipub {string.Join(' ', command)} failed without a word that helps: {output}{errors}");
            return null;
        }
    }

    [Fact]
    public async Task Views_with_any_byte_changed_are_made_again_or_still_right()
    {
        await using var target = await Target.StartAsync();
        await using (var friend = await Friend.ComeAsync(target))
            _ = await friend.SyncAsync(400);
        var views = Path.Combine(target.Box.Directory, "views.sqlite");
        var random = new Random(6);
        for (var round = 0; round < 5; round++)
        {
            await target.Box.StopAsync();
            var bytes = await File.ReadAllBytesAsync(views, Stop);
            var at = round < 2 ? round * 24 : random.Next(bytes.Length);
            for (var i = at; i < Math.Min(bytes.Length, at + (round % 2 == 0 ? 1 : 600)); i++)
                bytes[i] ^= 0x55;
            await File.WriteAllBytesAsync(views, bytes, Stop);
            await target.Box.StartAsync();
            await Eventually.BecomesTrueAsync(async () => await target.Box.SequenceAsync(Friend.Id.ToString()) == 400, $"all messages are there with byte {at} of the views changed");
            await target.VerifyAsync();
        }
    }

    [Fact]
    public async Task Changed_bytes_in_the_log_are_named_with_the_way_out_and_salvaged()
    {
        await using var target = await Target.StartAsync();
        await using (var friend = await Friend.ComeAsync(target))
        {
            // Damage in what was written last looks like a torn tail, and is cut; in what was flushed before, it never is.
            for (var batch = 0; batch < 3; batch++)
                _ = await friend.SyncAsync(100);
        }

        await target.Box.StopAsync();
        var log = Directory.GetFiles(Path.Combine(target.Box.Directory, "log"), "*.log").Single();
        var bytes = await File.ReadAllBytesAsync(log, Stop);
        bytes[bytes.Length / 5] ^= 1;
        await File.WriteAllBytesAsync(log, bytes, Stop);
        var (exitCode, output, _) = await target.Box.TryCommandAsync("verify");
        Assert.Equal(1, exitCode);
        Assert.Contains("salvage", output, StringComparison.Ordinal);
        (exitCode, output, var errors) = await target.Box.TryCommandAsync("verify", "--salvage");
        Assert.True(exitCode == 0, output + errors);
        await target.Box.StartAsync();
        await target.VerifyAsync();
        await using var again = await Friend.ComeAsync(target);
        _ = await again.SyncAsync(400);
    }

    [Fact]
    public async Task Plugs_pulled_while_blobs_invites_and_backups_are_written_leave_them_whole_or_absent()
    {
        await using var target = await Target.StartAsync();
        var random = new Random(7);
        var kept = new List<string>();
        var backups = Directory.CreateTempSubdirectory("pipub-backups-").FullName;
        var phrase = Path.Combine(backups, "phrase");
        await File.WriteAllTextAsync(phrase, "correct horse battery staple\n", Stop);
        for (var round = 0; round < 4; round++)
        {
            var file = Path.Combine(backups, $"blob-{round}");
            await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(2_000_000), Stop);
            var writing = Task.WhenAll(
                Task.Run(async () =>
                {
                    for (var i = 0; i < 20; i++)
                    {
                        var (code, output, _) = await target.Box.TryCommandAsync("blobs", "add", file);
                        if (code != 0)
                            break;
                        lock (kept)
                            kept.Add(output);
                    }
                }, Stop),
                Task.Run(async () => await target.Box.TryCommandAsync("invite", "create"), Stop),
                Task.Run(async () => await target.Box.TryCommandAsync("backup", "create", Path.Combine(backups, $"backup-{round}"), "--passphrase-file", phrase), Stop));
            await Task.Delay(600 + random.Next(1500), Stop);
            await target.Box.KillAsync();
            await Siege.MustAsync(writing, "the commands that were at work have ended");
            await target.Box.StartAsync();
            await target.VerifyAsync();
        }

        foreach (var blob in kept.Select(static output => JsonDocument.Parse(output).RootElement.GetProperty("id").GetString()!).Distinct())
            _ = await target.Box.CommandAsync("blobs", "get", blob, "-o", Path.Combine(backups, "out"));
        Directory.Delete(backups, recursive: true);
    }
}
