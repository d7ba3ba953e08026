namespace PiPub.Tests.Backups;

/// <summary>Backups onto whichever USB stick is in the box.</summary>
public sealed class StickTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_stick_that_is_in_the_box_takes_the_backups()
    {
        Directory.CreateDirectory(_directory.In("usb/sda1"));
        Directory.CreateDirectory(_directory.In("pipub"));
        await File.WriteAllTextAsync(_directory.In("passphrase"), "four words in a row\n", TestContext.Current.CancellationToken);
        var (code, _, errors) = await RunningBox.CommandAsync(_directory.In("pipub"), "backup", "passphrase", "--passphrase-file", _directory.In("passphrase"));
        Assert.True(code == 0, errors);
        await using var box = await RunningBox.StartAsync(_directory.In("pipub"), "--usb-directory", _directory.In("usb"), "--backup-directory", "usb");
        var folder = _directory.In("usb/sda1/pipub-backup");
        await RunningBox.UntilAsync(() => Task.FromResult(Directory.Exists(folder) && Directory.GetFiles(folder, "*.pipub-backup").Length == 1));
    }
}
