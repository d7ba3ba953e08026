using System.Diagnostics;

namespace PiPub.Interop;

/// <summary>
/// A tool written for ssb-server, started as its user would: it finds the box's key, network key and port in ~/.ssb of
/// a home directory that belongs to the test.
/// </summary>
internal sealed class Viewer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient http = new() { Timeout = Patience };
    private readonly string homeDirectory;
    private readonly Process server;

    private Viewer(string homeDirectory, Process server, int port)
    {
        (this.homeDirectory, this.server) = (homeDirectory, server);
        http.BaseAddress = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Starts a server of tests/Interop/peers/classic/node_modules and waits until it answers.</summary>
    public static async Task<Viewer> StartAsync(TestNetwork network, PiPubProcess pub, string script)
    {
        LoopbackNamespace.Require();
        var home = network.NewDirectory("home");
        var settings = Directory.CreateDirectory(Path.Combine(home, ".ssb")).FullName;
        var port = TestPort.Next();
        File.Copy(Path.Combine(pub.Directory, "secret"), Path.Combine(settings, "secret"));
        await File.WriteAllTextAsync(Path.Combine(settings, "config"), Conversation.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("host", "127.0.0.1");
            writer.WriteNumber("port", int.Parse(pub.Address.Split('~')[0].Split(':')[^1]));
            writer.WriteStartObject("caps");
            writer.WriteString("shs", network.NetworkKey);
            writer.WriteEndObject();
            writer.WriteStartObject("viewer");
            writer.WriteString("host", "127.0.0.1");
            writer.WriteNumber("port", port);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }));
        var start = StartInfo(home, home, "node", Path.Combine(Packages, script), "web", $"127.0.0.1:{port}");
        var viewer = new Viewer(home, Process.Start(start)!, port);
        await viewer.AnswersAsync();
        return viewer;
    }

    /// <summary>Gets a page as text; anything but success throws.</summary>
    public Task<string> GetAsync(string path) => http.GetStringAsync(path, TestContext.Current.CancellationToken);

    public Task<string> GitAsync(string directory, params string[] arguments) => RunAsync(StartInfo(homeDirectory, directory, "git", arguments));

    public Task<string> RunNodeAsync(string directory, string script, params string[] arguments) =>
        RunAsync(StartInfo(homeDirectory, directory, "node", [Path.Combine(Packages, script), .. arguments]));

    public void Dispose()
    {
        server.Kill();
        server.WaitForExit();
        server.Dispose();
        http.Dispose();
    }

    private static string Packages => Path.Combine(Repository.NodeProject("classic"), "node_modules");

    private static ProcessStartInfo StartInfo(string home, string directory, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory,
        };
        start.Environment["HOME"] = home;
        // git finds git-remote-ssb on the path, as after an installation.
        start.Environment["PATH"] = $"{Path.Combine(Packages, ".bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        return start;
    }

    private static async Task<string> RunAsync(ProcessStartInfo start)
    {
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        Assert.True(process.ExitCode == 0, $"{start.FileName} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}:\n{await output}\n{await errors}");
        return await output;
    }

    private async Task AnswersAsync()
    {
        var errors = server.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        _ = server.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                if (server.HasExited)
                    throw new InvalidOperationException($"The viewer ended with {server.ExitCode}:\n{await errors}");
                try
                {
                    using var answer = await http.GetAsync(new Uri("/", UriKind.Relative), TestContext.Current.CancellationToken);
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "The viewer answers");
    }
}
