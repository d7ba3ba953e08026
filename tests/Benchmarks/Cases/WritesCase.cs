using System.Diagnostics;
using System.Globalization;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>What an SD card has to take while people write now and then, and while nobody does.</summary>
internal static class WritesCase
{
    private const int Published = 200;

    public static async Task RunAsync(string workDirectory, TimeSpan idle, Results results)
    {
        var directory = Path.Combine(workDirectory, "writes");
        _ = await PreparedBox.MakeAsync(directory, Corpus.TestNetworkKey, 50, 100);
        await using var pub = await PiPubProcess.StartAsync(directory, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using (var owner = await Owner.ConnectAsync(pub.Directory))
        {
            var log = Path.Combine(directory, "log");
            await using var flushes = await FlushCount.AttachAsync(pub.ProcessId, Path.Combine(workDirectory, "flushes"));
            var (written, kept) = (ProcessMeter.WrittenBytes(pub.ProcessId), SizeOf(log));
            for (var i = 0; i < Published; i++)
                await owner.CallAsync("publish", $$"""[{"type":"post","text":"One message at a time, as a person writes it: the {{i}}th of them."}]""");
            var (more, longer) = (ProcessMeter.WrittenBytes(pub.ProcessId) - written, SizeOf(log) - kept);
            results.Add(new($"bytes written per byte kept, {Published} messages one at a time", Fixed((double)more / longer),
                $"a page of 4,096 bytes a message: {Fixed(Published * 4096.0 / longer)}", "", "", null));
            results.Add(new("flushes to the card for each of them", Fixed((double)await flushes.CountAsync() / Published), "one is what a promise costs", "", "", null));
        }

        // What the owner's client left behind is done with first.
        await Task.Delay(TimeSpan.FromMinutes(1));
        var before = ProcessMeter.WrittenBytes(pub.ProcessId);
        await Task.Delay(idle);
        var atRest = ProcessMeter.WrittenBytes(pub.ProcessId) - before;
        results.Add(new($"bytes written in {idle.TotalMinutes:0} idle minutes", $"{atRest:N0}", "", "", "0", atRest == 0));
        await pub.StopAsync();
    }

    private static string Fixed(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private static long SizeOf(string directory) => Directory.GetFiles(directory).Sum(static file => new FileInfo(file).Length);

    /// <summary>Counts the flushes that a process asks for, by strace.</summary>
    private sealed class FlushCount(Process strace, string file) : IAsyncDisposable
    {
        public static async Task<FlushCount> AttachAsync(int processId, string file)
        {
            File.Delete(file);
            var strace = Process.Start(new ProcessStartInfo("strace", ["-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs", "-o", file, "-p", $"{processId}"]) { UseShellExecute = false })!;
            while (!File.Exists(file))
                await Task.Delay(20);
            await Task.Delay(500);
            return new FlushCount(strace, file);
        }

        public async Task<int> CountAsync()
        {
            await EndAsync();
            return File.ReadLines(file).Count(static line => line.Contains("sync", StringComparison.Ordinal) && !line.Contains("resumed", StringComparison.Ordinal));
        }

        public async ValueTask DisposeAsync()
        {
            await EndAsync();
            strace.Dispose();
        }

        private async Task EndAsync()
        {
            if (strace.HasExited)
                return;
            using var kill = Process.Start("kill", ["-INT", $"{strace.Id}"]);
            await strace.WaitForExitAsync();
        }
    }
}
