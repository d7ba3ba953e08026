using System.Globalization;
using PiPub.Hostile;

namespace PiPub.Soak;

/// <summary>What the box had in use, every two seconds; the first quarter is compared with the last.</summary>
internal sealed class Samples
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // Before, everything happens for the first time: code is compiled, the pages' application is made.
    private const double WarmUp = 0.2;

    private readonly List<(double Memory, double Files, double Threads)> taken = [];

    /// <summary>Samples for so long, with a word on the console now and then.</summary>
    public static async Task<Samples> TakeAsync(Target target, TimeSpan length, Func<string> describe)
    {
        var samples = new Samples();
        var start = TimeProvider.System.GetTimestamp();
        for (var told = 0; TimeProvider.System.GetElapsedTime(start) is var passed && passed < length; await Task.Delay(Pause))
        {
            var now = Look(target.Box.ProcessId);
            if (passed >= length * WarmUp)
                samples.taken.Add(now);
            if (told++ % 15 == 0)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed.TotalSeconds,5:0} s  {now.Memory:0} MB, {now.Files} files, {now.Threads} threads; {describe()}"));
        }

        return samples;
    }

    /// <summary>What has grown.</summary>
    public IEnumerable<string> Judge()
    {
        var quarter = taken.Count / 4;
        if (quarter < 5)
        {
            yield return "too short a time to compare its quarters.";
            yield break;
        }

        // Room for what the messages themselves add, and for a peer more or less at the moment of looking.
        foreach (var (name, of, room) in new (string, Func<(double Memory, double Files, double Threads), double>, Func<double, double>)[]
        {
            ("memory (MB)", static one => one.Memory, static first => (first * 0.1) + 5),
            ("file descriptors", static one => one.Files, static _ => 10),
            ("threads", static one => one.Threads, static _ => 4),
        })
        {
            var (first, last) = (Median(taken.Take(quarter).Select(of)), Median(taken.TakeLast(quarter).Select(of)));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {first:0.#} in the first quarter, {last:0.#} in the last, at most {taken.Max(of):0.#}"));
            if (last > first + room(first))
                yield return $"{name} grew from {first:0.#} to {last:0.#}.";
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private static (double Memory, double Files, double Threads) Look(int process)
    {
        double memory = 0, threads = 0;
        foreach (var line in File.ReadLines($"/proc/{process}/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                memory = Number(line) / 1024;
            else if (line.StartsWith("Threads:", StringComparison.Ordinal))
                threads = Number(line);
        }

        return (memory, Directory.GetFiles($"/proc/{process}/fd").Length, threads);
    }

    private static double Number(string line) => double.Parse(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
