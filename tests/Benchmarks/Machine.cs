using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PiPub.Benchmarks;

/// <summary>Where a run was made: figures of two machines are not comparable, only ratios within one run.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
        var memory = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return $"{Environment.ProcessorCount} cores of {processor} ({RuntimeInformation.OSArchitecture}), {long.Parse(memory) / 1_048_576.0:0} GiB, "
            + $"{RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.FrameworkDescription}, Node.js {NodeVersion()}";
    }

    private static string NodeVersion()
    {
        using var node = Process.Start(new ProcessStartInfo("node", "--version") { RedirectStandardOutput = true, UseShellExecute = false })!;
        return node.StandardOutput.ReadToEnd().Trim();
    }
}
