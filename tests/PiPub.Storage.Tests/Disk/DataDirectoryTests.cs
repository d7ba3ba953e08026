using System.Diagnostics;
using PiPub.Storage.Disk;

namespace PiPub.Storage.Tests.Disk;

public sealed class DataDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void It_is_made_for_its_user_alone()
    {
        using var data = DataDirectory.Open(_directory["a/b"], reserveBytes: 0);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(data.Path));
        Assert.True(data.FreeBytes > 0);
    }

    [Fact]
    public void A_second_opening_is_refused_naming_the_process_until_the_first_is_closed()
    {
        using (DataDirectory.Open(_directory.Path, reserveBytes: 0))
        {
            var error = Assert.Throws<DataDirectoryException>(() => DataDirectory.Open(_directory.Path, reserveBytes: 0));
            Assert.Contains($"already running on {_directory.Path} (process {Environment.ProcessId})", error.Message, StringComparison.Ordinal);
        }

        DataDirectory.Open(_directory.Path, reserveBytes: 0).Dispose();
    }

    [Fact]
    public async Task Another_process_holding_the_lock_is_refused_and_a_killed_one_leaves_it_free()
    {
        var file = _directory["lock"];
        await File.WriteAllTextAsync(file, "4711\n", TestContext.Current.CancellationToken);
        using (var holder = Process.Start(new ProcessStartInfo("flock", ["-x", "-o", file, "-c", "echo held; exec sleep 600"]) { RedirectStandardOutput = true, UseShellExecute = false })!)
        {
            Assert.Equal("held", await holder.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.Contains("(process 4711)", Assert.Throws<DataDirectoryException>(() => DataDirectory.Open(_directory.Path, reserveBytes: 0)).Message, StringComparison.Ordinal);
            holder.Kill(entireProcessTree: true);
            await holder.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        DataDirectory.Open(_directory.Path, reserveBytes: 0).Dispose();
        Assert.Equal($"{Environment.ProcessId}\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Too_little_space_is_refused_with_both_figures_and_leaves_the_lock_free()
    {
        var error = Assert.Throws<DataDirectoryException>(() => DataDirectory.Open(_directory.Path, reserveBytes: 1L << 60));
        Assert.Contains("1,152,921,504,606.8 MB are needed", error.Message, StringComparison.Ordinal);
        Assert.Contains("are free", error.Message, StringComparison.Ordinal);
        DataDirectory.Open(_directory.Path, reserveBytes: 0).Dispose();
    }

    [Fact]
    public async Task A_file_in_its_place_is_refused()
    {
        await File.WriteAllTextAsync(_directory["file"], "", TestContext.Current.CancellationToken);
        Assert.Contains(_directory["file"], Assert.Throws<DataDirectoryException>(() => DataDirectory.Open(_directory["file"])).Message, StringComparison.Ordinal);
    }
}
