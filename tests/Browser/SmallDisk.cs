namespace PiPub.BrowserTests;

/// <summary>A disk of the test's own that is easily filled: a small file system in memory.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string path) => Path = path;

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Mounts one at a directory. Only root may; the tests that need namespaces are root, too.</summary>
    public static async Task<SmallDisk> MountAsync(string path, int megabytes)
    {
        await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0700", "tmpfs", path);
        return new SmallDisk(path);
    }

    /// <summary>Fills it until no more than this is left.</summary>
    public void Fill(long leave)
    {
        var zeros = new byte[64 * 1024];
        using var file = new FileStream(System.IO.Path.Combine(Path, "film.mkv"), FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (long free; (free = new DriveInfo(Path).AvailableFreeSpace) > leave;)
        {
            file.Write(zeros, 0, (int)Math.Min(zeros.Length, free - leave));
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Empty() => File.Delete(System.IO.Path.Combine(Path, "film.mkv"));

    public async ValueTask DisposeAsync() => await RunAsync("umount", Path);

    private static async Task RunAsync(string command, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(command, arguments);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
