using System.Globalization;
using System.Text;
using System.Text.Json;
using PiPub.CommandLine;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Tests;

/// <summary>A box brought to life by <c>pipub run</c> within the test's process, on loopback and a network of its own, and its command line.</summary>
internal sealed class RunningBox : IAsyncDisposable
{
    public const string NetworkKey = "cGlwdWIgdGVzdHMga2VlcCB0byB0aGVtc2VsdmVzISE=";

    private readonly CancellationTokenSource _stop = new();
    private readonly LineWriter _output = new();
    private readonly StringWriter _errors = new(CultureInfo.InvariantCulture);
    private Task<int> _running = Task.FromResult(0);

    private RunningBox(string directory) => Directory = directory;

    public string Directory { get; }

    public JsonElement Start { get; private set; }

    public string Id => Start.GetProperty("id").GetString()!;

    public string Address => Start.GetProperty("address").GetString()!;

    public static Task<RunningBox> StartAsync(string directory, params string[] settings) => StartOnAsync(NetworkKey, directory, settings);

    public static Task<RunningBox> StartOnAsync(string networkKey, string directory, params string[] settings) =>
        StartWithAsync(networkKey, directory, settings.Contains("--https-port") ? settings : [.. settings, "--https-port", "0"]);

    /// <summary>Starts a box whose HTTPS port nobody chose.</summary>
    public static Task<RunningBox> StartOnUsualHttpsPortAsync(string directory) => StartWithAsync(NetworkKey, directory, []);

    private static async Task<RunningBox> StartWithAsync(string networkKey, string directory, string[] settings)
    {
        var box = new RunningBox(directory);
        box._running = Commands.RunAsync([.. settings.Contains("--log-level") ? RunArguments(directory, networkKey)[..^2] : RunArguments(directory, networkKey), .. settings], box._output, box._errors, box._stop.Token);
        var listening = box._output.LineAsync("listening");
        if (await Task.WhenAny(listening, box._running) != listening)
        {
            throw new InvalidOperationException($"The box ended with {await box._running}: {box._errors}");
        }

        box.Start = await listening;
        return box;
    }

    public static string[] RunArguments(string directory, string networkKey = NetworkKey) =>
    [
        "run", "--json", "--data-directory", directory, "--network-key", networkKey, "--ssb-port", "0", "--ssb-bind", "127.0.0.1",
        "--web-port", "0", "--web-bind", "127.0.0.1", "--public-host", "127.0.0.1", "--min-free-space", "1MB", "--log-level", "error",
    ];

    /// <summary>Runs a command against a data directory.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> CommandAsync(string directory, params string[] arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var errors = new StringWriter(CultureInfo.InvariantCulture);
        var code = await Commands.RunAsync([.. arguments, "--data-directory", directory, "--network-key", NetworkKey], output, errors, TestContext.Current.CancellationToken);
        return (code, output.ToString(), errors.ToString());
    }

    /// <summary>Runs a command that must succeed and gives what it printed for people.</summary>
    public async Task<string> DoAsync(params string[] arguments)
    {
        var (code, output, errors) = await CommandAsync(Directory, arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)} ended with {code}: {errors}");
        return output.TrimEnd('\n');
    }

    /// <summary>Runs a command that must succeed, with --json.</summary>
    public async Task<JsonElement> AskAsync(params string[] arguments) => JsonElement.Parse(await DoAsync([.. arguments, "--json"]));

    /// <summary>A connection as the owner's tools have it.</summary>
    public Task<MuxRpcSession> ConnectAsync() => LocalSocket.ConnectAsync(Directory, TestContext.Current.CancellationToken);

    /// <summary>Waits until something holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var waited = 0; !await holds(); waited++)
        {
            Assert.True(waited < 600, "It did not come to pass within a minute.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until it has begun again, for the first time or for another.</summary>
    public async Task RestartedAsync(int times = 1) => Start = await _output.LineAsync("listening", times).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

    /// <summary>Ends as a box does that ended by itself.</summary>
    public Task<int> EndedAsync() => _running;

    public string Errors => _errors.ToString();

    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _running;
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Equal(0, await StopAsync());
        _stop.Dispose();
    }

    /// <summary>Finds lines of JSON by their event.</summary>
    private sealed class LineWriter : TextWriter
    {
        private readonly Lock _gate = new();
        private readonly List<JsonElement> _lines = [];
        private readonly List<(string Event, int After, TaskCompletionSource<JsonElement> Waiting)> _waiting = [];

        public override Encoding Encoding => Encoding.UTF8;

        public override void WriteLine(string? value)
        {
            lock (_gate)
            {
                _lines.Add(JsonElement.Parse(value!));
                foreach (var (name, after, waiting) in _waiting)
                {
                    TryFind(name, after, waiting);
                }
            }
        }

        /// <summary>The line of an event, past <paramref name="after"/> earlier ones of the same.</summary>
        public Task<JsonElement> LineAsync(string name, int after = 0)
        {
            var waiting = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                TryFind(name, after, waiting);
                _waiting.Add((name, after, waiting));
            }

            return waiting.Task;
        }

        private void TryFind(string name, int after, TaskCompletionSource<JsonElement> waiting)
        {
            foreach (var line in _lines)
            {
                if (line.GetProperty("event").GetString() == name && after-- == 0)
                {
                    waiting.TrySetResult(line);
                    return;
                }
            }
        }
    }
}
