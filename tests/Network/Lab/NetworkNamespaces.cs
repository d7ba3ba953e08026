using System.Diagnostics;
using System.Text.RegularExpressions;
using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>
/// The network namespaces of this process, by <c>ip netns</c>. Their names carry the process id, so that what a crashed run
/// left behind is known for what it is and removed.
/// </summary>
internal static partial class NetworkNamespaces
{
    private const string Folder = "/run/netns";

    private static readonly Lazy<string?> Obstacle = new(FindObstacle);
    private static int made;

    /// <summary>Why none can be made here, as a sentence; null when they can.</summary>
    public static string? Unavailable => Obstacle.Value;

    /// <summary>Makes one; answers with its name. What <paramref name="name"/> says is for a person who looks at them.</summary>
    public static async Task<string> AddAsync(string name)
    {
        var full = $"pipub-{Environment.ProcessId}-{Interlocked.Increment(ref made)}-{name}";
        await IpAsync("netns", "add", full);
        return full;
    }

    /// <summary>Ends whatever runs in a namespace, and removes it with its interfaces.</summary>
    public static async Task DeleteAsync(string name)
    {
        var (_, processes, _) = await ChildProcess.RunAsync("ip", ["netns", "pids", name], CancellationToken.None);
        foreach (var id in processes.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            await ChildProcess.RunAsync("kill", ["-KILL", id], CancellationToken.None);
        }

        await ChildProcess.RunAsync("ip", ["netns", "delete", name], CancellationToken.None);
    }

    /// <summary>Runs <c>ip</c>, which must succeed; answers with what it printed.</summary>
    public static async Task<string> IpAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await ChildProcess.RunAsync("ip", arguments, CancellationToken.None);
        return exitCode == 0 ? output : throw new InvalidOperationException($"ip {string.Join(' ', arguments)} ended with {exitCode}: {errors}");
    }

    private static string? FindObstacle()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "Skipped, not tested: network namespaces are made by root only, and this run is not root's.";
        }

        try
        {
            RemoveLeftovers();
            var probe = $"pipub-{Environment.ProcessId}-0-probe";
            Run("ip", "netns", "add", probe);
            Run("ip", "netns", "delete", probe);
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or IOException)
        {
            return $"Skipped, not tested: no network namespace can be made here ({e.Message.TrimEnd('.')}).";
        }
    }

    private static void RemoveLeftovers()
    {
        if (!Directory.Exists(Folder))
        {
            return;
        }

        foreach (var name in Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)!))
        {
            if (OurName.Match(name) is { Success: true } match && !Directory.Exists($"/proc/{match.Groups["process"].Value}"))
            {
                DeleteAsync(name).GetAwaiter().GetResult();
            }
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(errors.Trim());
        }
    }

    [GeneratedRegex(@"^pipub-(?<process>\d+)-\d+-", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex OurName { get; }
}
