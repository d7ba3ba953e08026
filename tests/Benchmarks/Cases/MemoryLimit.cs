namespace PiPub.Benchmarks.Cases;

/// <summary>A control group of Linux in which a process may have only so much memory, its part of the file cache included (cgroups(7), both versions).</summary>
internal sealed class MemoryLimit : IDisposable
{
    private const string Root = "/sys/fs/cgroup";

    private readonly string group;

    /// <exception cref="IOException">This machine has no such groups, or they may not be made here.</exception>
    /// <exception cref="UnauthorizedAccessException">They may not be made here.</exception>
    public MemoryLimit(long bytes)
    {
        var isFirstVersion = Directory.Exists(Path.Combine(Root, "memory"));
        group = Path.Combine(Root, isFirstVersion ? "memory" : "", $"pipub-bench-{Environment.ProcessId}");
        Directory.CreateDirectory(group);
        File.WriteAllText(Path.Combine(group, isFirstVersion ? "memory.limit_in_bytes" : "memory.max"), $"{bytes}");
    }

    /// <summary>What puts a process into it.</summary>
    public IReadOnlyList<string> Within => ["sh", "-c", $"echo $$ >{group}/cgroup.procs && exec \"$@\"", "sh"];

    public void Dispose() => Directory.Delete(group);
}
