using PiPub.Configuration;
using PiPub.Node.Backups;
using PiPub.Storage.State;

namespace PiPub.Tests.Backups;

/// <summary>A whole box, backed up and put back with the command line.</summary>
public sealed class BackupCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public BackupCommandTests()
    {
        File.WriteAllText(_directory.In("passphrase"), "four words in a row\n");
        File.WriteAllText(_directory.In("wrong"), "five words in a row\n");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_lost_box_comes_back_with_its_key_its_members_and_its_invites()
    {
        string id;
        string invite;
        Directory.CreateDirectory(_directory.In("old"));
        await File.WriteAllTextAsync(_directory.In("old/pipub.conf"), "hops = 3\nweb-port = 4711\nhost-name = kitchen # the room\n", TestContext.Current.CancellationToken);
        await using (var box = await RunningBox.StartAsync(_directory.In("old")))
        {
            id = box.Id;
            invite = (await box.AskAsync("invite", "create", "--note", "For Mira")).GetProperty("invite").GetString()!;
            await box.DoAsync("publish", "--text", "Kept");
            var made = await box.AskAsync("backup", "create", _directory.In("b1"), "--passphrase-file", _directory.In("passphrase"));
            Assert.Equal(new FileInfo(_directory.In("b1")).Length, made.GetProperty("bytes").GetInt64());
        }

        // And once more while nothing runs.
        await DoAsync("old", "backup", "create", _directory.In("b2"), "--passphrase-file", _directory.In("passphrase"));
        foreach (var file in (string[])["b1", "b2"])
        {
            var check = await DoAsync("old", "backup", "check", _directory.In(file), "--passphrase-file", _directory.In("passphrase"));
            Assert.Contains(id, check, StringComparison.Ordinal);
            Assert.Contains("1, 1 of them the box's own", check, StringComparison.Ordinal);
        }

        Directory.Delete(_directory.In("old"), recursive: true);
        await DoAsync("new", "backup", "restore", _directory.In("b1"), "--old-box-is-gone", "--passphrase-file", _directory.In("passphrase"));
        Assert.Equal("hops = 3\nhost-name = kitchen # the room\n", await File.ReadAllTextAsync(_directory.In("new/pipub.conf"), TestContext.Current.CancellationToken));
        await using var back = await RunningBox.StartAsync(_directory.In("new"));
        Assert.Equal(id, back.Id);
        var known = Assert.Single((await back.AskAsync("invite", "list")).EnumerateArray(), one => one.TryGetProperty("note", out var note) && note.GetString() == "For Mira");
        Assert.Equal(0, known.GetProperty("used").GetInt64());
        Assert.NotEmpty(invite);

        // Not before peers have told how far the feed has got; or the owner says so.
        Assert.Contains("0 of 2 peers", (await back.AskAsync("status")).GetProperty("publishing").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, (await RunningBox.CommandAsync(back.Directory, "publish", "--text", "Too early")).ExitCode);
        await back.DoAsync("publish", "--text", "On my word", "--give-up-missing");
        Assert.Contains((await back.AskAsync("feeds")).EnumerateArray(), feed => feed.GetProperty("id").GetString() == id && feed.GetProperty("sequence").GetInt32() == 2);
    }

    [Fact]
    public async Task Words_on_paper_give_the_key_back_and_nothing_else()
    {
        string id;
        await using (var box = await RunningBox.StartAsync(_directory.In("old")))
        {
            id = box.Id;
            await box.DoAsync("publish", "--text", "Somewhere else now");
        }

        var words = await DoAsync("old", "backup", "words");
        Assert.Equal(24, words.Split(' ').Length);
        await File.WriteAllTextAsync(_directory.In("paper"), words, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_directory.In("blot"), words[..words.LastIndexOf(' ')], TestContext.Current.CancellationToken);
        await FailsAsync("not the recovery words", "new", "backup", "restore", "--words-file", _directory.In("blot"), "--old-box-is-gone");
        Assert.False(Directory.Exists(_directory.In("new")));
        await DoAsync("new", "backup", "restore", "--words-file", _directory.In("paper"), "--old-box-is-gone");
        await using var back = await RunningBox.StartAsync(_directory.In("new"));
        Assert.Equal(id, back.Id);
        Assert.Contains("0 of 2 peers", (await back.AskAsync("status")).GetProperty("publishing").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, (await RunningBox.CommandAsync(back.Directory, "publish", "--text", "A fork")).ExitCode);
    }

    [Fact]
    public async Task What_cannot_be_done_is_said()
    {
        await using (var box = await RunningBox.StartAsync(_directory.In("box")))
        {
            await box.DoAsync("backup", "create", _directory.In("b"), "--passphrase-file", _directory.In("passphrase"));
        }

        await FailsAsync("is there already", "box", "backup", "create", _directory.In("b"), "--passphrase-file", _directory.In("passphrase"));
        await File.WriteAllTextAsync(_directory.In("short"), "elevenchars", TestContext.Current.CancellationToken);
        await FailsAsync("12 characters or more", "box", "backup", "create", _directory.In("b2"), "--passphrase-file", _directory.In("short"));
        await FailsAsync("There is no box in", "none", "backup", "create", _directory.In("b2"), "--passphrase-file", _directory.In("passphrase"));
        Assert.False(Directory.Exists(_directory.In("none")));
        await FailsAsync("not the passphrase", "box", "backup", "check", _directory.In("b"), "--passphrase-file", _directory.In("wrong"));
        await FailsAsync("not a backup of a PiPub box", "box", "backup", "check", _directory.In("wrong"), "--passphrase-file", _directory.In("passphrase"));
        await FailsAsync("must never run again", "new", "backup", "restore", _directory.In("b"), "--passphrase-file", _directory.In("passphrase"));
        await FailsAsync("holds a box already", "box", "backup", "restore", _directory.In("b"), "--old-box-is-gone", "--passphrase-file", _directory.In("passphrase"));
        await FailsAsync("not the passphrase", "new", "backup", "restore", _directory.In("b"), "--old-box-is-gone", "--passphrase-file", _directory.In("wrong"));
        Assert.Equal(["lock"], Directory.GetFileSystemEntries(_directory.In("new")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Scheduled_backups_are_made_into_their_folder_and_the_oldest_go()
    {
        Directory.CreateDirectory(_directory.In("stick"));
        Directory.CreateDirectory(_directory.In("box"));
        await DoAsync("box", "backup", "passphrase", "--passphrase-file", _directory.In("passphrase"));
        string prefix;
        await using (var box = await RunningBox.StartAsync(_directory.In("box"), "--backup-directory", _directory.In("stick")))
        {
            await RunningBox.UntilAsync(() => Task.FromResult(Backups().Length == 1));
            prefix = Path.GetFileName(Backups()[0]).Split('-')[1];
        }

        await DoAsync("box", "backup", "check", Backups()[0], "--passphrase-file", _directory.In("passphrase"));

        // Six older ones, and one of another box; the next is due since nobody knows of one.
        for (var i = 1; i <= 6; i++)
        {
            File.Copy(Backups()[0], _directory.In($"stick/pipub-{prefix}-2020010{i}-000000.pipub-backup"));
        }

        // The clock may still say the same second.
        File.Delete(_directory.In($"stick/{Path.GetFileName(Backups().Max(StringComparer.Ordinal))}"));
        await File.WriteAllTextAsync(_directory.In("stick/pipub-00000000-20200101-000000.pipub-backup"), "another box's", TestContext.Current.CancellationToken);
        using (var state = StateDatabase.Open(_directory.In("box")))
        {
            state.Execute("DELETE FROM backups");
        }

        await using (var box = await RunningBox.StartAsync(_directory.In("box"), "--backup-directory", _directory.In("stick")))
        {
            await RunningBox.UntilAsync(() => Task.FromResult(Backups().Length == BackupSchedule.Keep + 1 && Directory.GetFiles(_directory.In("stick"), "*.unfinished").Length == 0));
        }

        Assert.Contains(_directory.In("stick/pipub-00000000-20200101-000000.pipub-backup"), Backups());

        string[] Backups() => Directory.GetFiles(_directory.In("stick"), "*.pipub-backup");
    }

    [Fact]
    public async Task Every_table_of_the_state_is_kept_or_left_out_on_purpose()
    {
        await using (await RunningBox.StartAsync(_directory.In("box")))
        {
        }

        using var state = StateDatabase.Open(_directory.In("box"));
        var tables = StateTables.In(state);
        Assert.DoesNotContain(tables, static table => StateTables.Find(table) is null);
        Assert.Empty(StateTables.All.Select(static table => table.Name).Except(tables));
    }

    [Fact]
    public void Every_setting_about_the_machine_stays_with_it()
    {
        string[] aboutPlaces = ["-directory", "-file", "-port", "-bind"];
        Assert.Equal(
            ConfigurationTable.Keys.Where(key => key.Name is "min-free-space" or "card-settings" || (aboutPlaces.Any(key.Name.EndsWith) && !key.Name.StartsWith("map-", StringComparison.Ordinal))).Select(static key => key.Name),
            ConfigurationTable.Keys.Where(static key => key.IsOfMachine).Select(static key => key.Name));
        var path = _directory.In("pipub.conf");
        File.WriteAllText(path, "# mine\nssb-port = 1\nhops = 1\nnonsense = 1\n");
        Assert.Equal("hops = 1\n", ConfigurationFile.Portable(path));
        Assert.Equal("# mine\nssb-port = 1\nnonsense = 1\nhops = 4\nconnect = \n", ConfigurationFile.WithPortable(path, "ssb-port = 9\nhops = 4\nhops=99\nlater = 1\nblob-quota = much\nconnect = \n"));
    }

    private async Task<string> DoAsync(string box, params string[] arguments)
    {
        var (code, output, errors) = await RunningBox.CommandAsync(_directory.In(box), [.. arguments, "--min-free-space", "1MB"]);
        Assert.True(code == 0, errors);
        return output;
    }

    private async Task FailsAsync(string why, string box, params string[] arguments)
    {
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.In(box), [.. arguments, "--min-free-space", "1MB"]);
        Assert.Equal(1, code);
        Assert.Contains(why, errors, StringComparison.Ordinal);
    }
}
