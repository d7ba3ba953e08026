using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace PiPub.Hostile;

/// <summary>
/// Who gets which processor: one is the box's alone, on the others are its honest peers, and the attackers on what these leave. So what
/// is measured is what an attack costs the box, and not what it costs to attack.
/// </summary>
internal static partial class Machine
{
    private static readonly int[] Processors = Allowed();

    /// <summary>The command within which a program has a processor to itself; where there is only one, all share it.</summary>
    public static string[] OfTheBox => ["taskset", "-c", $"{Processors[0]}"];

    /// <summary>Leaves the box's processor to it, with all threads of this process.</summary>
    public static async Task LeaveToTheBoxAsync()
    {
        if (Processors.Length == 1)
            return;
        using var taskset = Process.Start(new ProcessStartInfo("taskset", ["-apc", string.Join(',', Processors[1..]), $"{Environment.ProcessId}"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        _ = await taskset.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await taskset.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(taskset.ExitCode == 0, "The processors could not be shared out.");
    }

    /// <summary>Threads of a low priority; what is awaited on them goes on there.</summary>
    public sealed class Background : SynchronizationContext
    {
        private readonly BlockingCollection<(SendOrPostCallback Work, object? State)> waiting = [];

        public Background()
        {
            for (var i = 0; i < 2; i++)
                new Thread(Work) { IsBackground = true, Name = "attackers" }.Start();
        }

        public override void Post(SendOrPostCallback d, object? state) => waiting.Add((d, state));

        /// <summary>Does something there.</summary>
        public async Task RunAsync(Func<Task> work)
        {
            SetSynchronizationContext(this);
            await Task.Yield();
            await work();
        }

        private void Work()
        {
            _ = SetPriority(0, 0, 10);
            SetSynchronizationContext(this);
            foreach (var (work, state) in waiting.GetConsumingEnumerable())
                work(state);
        }
    }

    /// <summary>With 0 and 0, that of the thread which calls.</summary>
    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);

    private static int[] Allowed()
    {
        var list = File.ReadLines("/proc/self/status").First(static line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1];
        return [.. list.Split(',').SelectMany(static range =>
        {
            var ends = range.Split('-').Select(static end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
            return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1);
        })];
    }
}
