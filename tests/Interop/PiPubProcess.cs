using System.Text.Json;

namespace PiPub.Interop;

/// <summary>The built <c>pipub</c> in a process of its own, and its command line.</summary>
internal sealed class PiPubProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string directory;
    private readonly string networkKey;
    private readonly string[] settings;
    private readonly IReadOnlyList<string>? within;
    private readonly int port = TestPort.Next();
    private readonly int webPort = TestPort.Next();
    private ChildProcess process = null!;

    private PiPubProcess(string directory, string networkKey, string[] settings, IReadOnlyList<string>? within) =>
        (this.directory, this.networkKey, this.settings, this.within) = (directory, networkKey, settings, within);

    /// <summary>The program under test: the one beside the tests, or the one that TESTED_EXECUTABLE names.</summary>
    public static string Executable { get; } =
        Environment.GetEnvironmentVariable("TESTED_EXECUTABLE") is { Length: > 0 } named ? named : Path.Combine(AppContext.BaseDirectory, "pipub");

    /// <summary>The box's feed.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Its multiserver address: on loopback, or in another network the best one that it knows of itself, "" for none.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Where its web pages and WebSocket entrance are.</summary>
    public string Web { get; private set; } = "";

    /// <summary>The port of its web pages by HTTPS.</summary>
    public int Https { get; private set; } = TestPort.Next();

    /// <summary>The invite code of a fresh box, for its owner.</summary>
    public string? Invite { get; private set; }

    /// <summary>The code with which a box that has no owner yet is claimed.</summary>
    public string? ClaimCode { get; private set; }

    public string Directory => directory;

    public int ProcessId => process.Id;

    public string Log => process.Complaints;

    /// <summary>Starts a box with a test network's key and free ports.</summary>
    public static async Task<PiPubProcess> StartAsync(string directory, string networkKey, params string[] settings)
    {
        var pub = new PiPubProcess(directory, networkKey, settings, within: null);
        await pub.StartAsync();
        return pub;
    }

    /// <summary>Starts a box by a command that puts it into another network, on its usual ports: there it finds its addresses by itself, as in a home.</summary>
    public static async Task<PiPubProcess> StartInAsync(IReadOnlyList<string> within, string directory, string networkKey, params string[] settings)
    {
        var pub = new PiPubProcess(directory, networkKey, settings, within);
        await pub.StartAsync();
        return pub;
    }

    /// <summary>Pulls the plug (SIGKILL).</summary>
    public Task KillAsync() => process.KillAsync();

    /// <summary>Asks it to stop (SIGTERM), and waits.</summary>
    public Task StopAsync() => process.TerminateAsync(TestContext.Current.CancellationToken);

    /// <summary>Starts it again on the same data, at the same addresses.</summary>
    public async Task StartAsync()
    {
        var listening = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        process = ChildProcess.Start(
            Executable,
            ["run", "--json", .. Where, .. within is null ? OnLoopback : [], "--min-free-space", "1MB",
                .. settings.Contains("--log-level") ? settings : [.. settings, "--log-level", "debug"]],
            line =>
            {
                using var document = JsonDocument.Parse(line);
                if (document.RootElement.GetProperty("event").GetString() == "listening")
                    listening.TrySetResult(document.RootElement.Clone());
            },
            within);
        var death = process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if (await Task.WhenAny(listening.Task, death, Task.Delay(Patience)) != listening.Task)
            throw new InvalidOperationException($"PiPub did not start.\n{process.Complaints}");

        var start = await listening.Task;
        Id = start.GetProperty("id").GetString()!;
        Address = start.GetProperty("address").GetString() ?? "";
        Web = start.GetProperty("web").ToString();
        Invite = start.TryGetProperty("invite", out var invite) ? invite.GetString() : null;
        ClaimCode = start.TryGetProperty("claimCode", out var code) ? code.GetString() : null;
    }

    /// <summary>Runs a sub-command with <c>--json</c> against this box; answers with what it printed.</summary>
    public async Task<JsonElement> CommandAsync(params string[] arguments)
    {
        var (exitCode, output, errors) = await TryCommandAsync(arguments);
        Assert.True(exitCode == 0, $"pipub {string.Join(' ', arguments)} ended with {exitCode}:\n{output}\n{errors}");
        using var document = JsonDocument.Parse(output.Length == 0 ? "null" : output);
        return document.RootElement.Clone();
    }

    /// <summary>Runs a sub-command that may fail.</summary>
    public Task<(int ExitCode, string Output, string Errors)> TryCommandAsync(params string[] arguments) =>
        ChildProcess.RunAsync(Executable, [.. arguments, "--json", .. Where], TestContext.Current.CancellationToken);

    /// <summary>Makes an invite.</summary>
    public async Task<string> CreateInviteAsync(int uses = 1) =>
        (await CommandAsync("invite", "create", "--uses", $"{uses}")).GetProperty("invite").GetString()!;

    /// <summary>The latest sequence that the box holds of a feed, 0 for none.</summary>
    public async Task<long> SequenceAsync(string feed) =>
        (await CommandAsync("feeds")).EnumerateArray()
            .Where(one => one.GetProperty("id").GetString() == feed)
            .Select(one => one.GetProperty("sequence").GetInt64())
            .FirstOrDefault();

    /// <summary>Waits until the box holds a feed up to <paramref name="sequence"/>.</summary>
    public Task WaitForAsync(string feed, long sequence) =>
        Eventually.BecomesTrueAsync(async () => await SequenceAsync(feed) >= sequence, $"PiPub holds {feed} up to {sequence}");

    /// <summary>Lets a client in the way its own invite plugin does it, and connects it as itself.</summary>
    public async Task WelcomeAsync(JsPeer client)
    {
        await client.RedeemAsync(await CreateInviteAsync());
        await client.ConnectAsync(Address);
    }

    public async ValueTask DisposeAsync() => await process.DisposeAsync();

    private string[] OnLoopback =>
        ["--ssb-port", $"{port}", "--ssb-bind", "127.0.0.1", "--web-port", $"{webPort}", "--https-port", $"{Https}", "--web-bind", "127.0.0.1", "--public-host", "127.0.0.1"];

    private string[] Where => ["--data-directory", directory, "--network-key", networkKey];
}
