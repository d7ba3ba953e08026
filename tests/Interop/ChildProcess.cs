using System.Diagnostics;

namespace PiPub.Interop;

/// <summary>A process that a test started: its lines out, lines in, the end of what it complained about, and its certain death.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int ComplaintsKept = 60;

    /// <summary>For a program that ends by itself: generous, and yet less than what ends the whole run without a word of the reason.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Process process;
    private readonly Queue<string> complaints = new();
    private readonly Task readingOutput;
    private readonly Task readingErrors;
    private bool disposed;

    private ChildProcess(Process process, Action<string> onLine)
    {
        this.process = process;
        readingOutput = ReadAsync(process.StandardOutput, onLine);
        readingErrors = ReadAsync(process.StandardError, Complain);
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>The last lines of standard error, for the message of a test that fails.</summary>
    public string Complaints
    {
        get
        {
            lock (complaints)
                return string.Join('\n', complaints);
        }
    }

    /// <summary>Starts a program; every line of its standard output goes to <paramref name="onLine"/>.</summary>
    /// <param name="program">Its path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="onLine">Told on a thread of its own.</param>
    /// <param name="within">A command that becomes the program, such as <c>ip netns exec</c> with the name of a namespace; null for none.</param>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, Action<string> onLine, IReadOnlyList<string>? within = null)
    {
        LoopbackNamespace.Require();
        string[] command = [.. within ?? [], program, .. arguments];
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        // A peer finds its settings in its arguments only, never in the home of whoever runs the tests.
        start.Environment["HOME"] = Path.GetTempPath();
        return new ChildProcess(Process.Start(start)!, onLine);
    }

    /// <summary>Runs a program to its end; answers with its exit code and everything it wrote.</summary>
    /// <exception cref="TimeoutException">It did not end; the message says what it had written, and what its threads waited for.</exception>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(
        string program, IEnumerable<string> arguments, CancellationToken cancellationToken, string? input = null, IReadOnlyList<string>? within = null)
    {
        var lines = new List<string>();
        await using var child = Start(program, arguments, line => { lock (lines) lines.Add(line); }, within);
        if (input is not null)
            await child.process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
        child.process.StandardInput.Close();
        try
        {
            await child.WaitForExitAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException e)
        {
            lock (lines)
                throw new TimeoutException($"{program} {string.Join(' ', arguments)} has not ended after {Patience.TotalMinutes} minutes.\n{child.Waits()}\n{string.Join('\n', lines)}\n{child.Complaints}", e);
        }

        return (child.process.ExitCode, string.Join('\n', lines), child.Complaints);
    }

    public async Task WriteLineAsync(string line, CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Waits for the end of the process and of its output.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        await process.WaitForExitAsync(cancellationToken);
        await Task.WhenAll(readingOutput, readingErrors).WaitAsync(cancellationToken);
    }

    /// <summary>SIGKILL: no goodbye, no flush.</summary>
    public async Task KillAsync()
    {
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>SIGTERM: asked to end, and given the time for it.</summary>
    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        if (!process.HasExited)
            using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString()]))
                await kill.WaitForExitAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed)
            return;
        disposed = true;
        await KillAsync();
        process.Dispose();
    }

    /// <summary>What each thread of the process waits for, as the kernel sees it.</summary>
    private string Waits() => process.HasExited
        ? "It has ended, but something holds its output open."
        : string.Join('\n', Directory.GetDirectories($"/proc/{Id}/task").Select(static task => $"{Path.GetFileName(task)} {ReadLine(task, "comm")}: {ReadLine(task, "wchan")}"));

    private static string ReadLine(string task, string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, file)).TrimEnd();
        }
        catch (IOException)
        {
            return "gone";
        }
    }

    private static async Task ReadAsync(StreamReader from, Action<string> onLine)
    {
        while (await from.ReadLineAsync() is { } line)
            onLine(line);
    }

    private void Complain(string line)
    {
        lock (complaints)
        {
            complaints.Enqueue(line);
            if (complaints.Count > ComplaintsKept)
                complaints.Dequeue();
        }
    }
}
