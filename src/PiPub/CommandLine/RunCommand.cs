using System.CommandLine;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using PiPub.Appliance.Hardware;
using PiPub.Appliance.Health;
using PiPub.Composition;
using PiPub.Configuration;
using PiPub.Lives;
using PiPub.Storage.Views;

namespace PiPub.CommandLine;

/// <summary><c>pipub run</c>: the node itself, until it is told to stop.</summary>
internal static partial class RunCommand
{
    public const string Name = "run";

    /// <summary>So long the box may be silent while it opens or closes what it keeps, and before it says again how far it has come.</summary>
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromMinutes(10);

    public static Command Create()
    {
        var command = new Command(Name, "Start the node. It runs until Ctrl+C, SIGINT or SIGTERM.");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var said = new Said(parsed.InvocationConfiguration.Output, parsed.GetValue(SharedOptions.Json));
        using var stop = new StopSignal(cancellationToken);
        using var supervision = Supervision.FromEnvironment(Environment.GetEnvironmentVariables(), TimeProvider.System);
        var life = new BoxLife(() => SharedOptions.Read(parsed));
        supervision.Busy("Starting.", OpeningPatience);
        while (await LiveAsync(life, said, supervision, stop.Token))
        {
            said.Say("restarting", "Restarting ...");
        }

        said.Say("stopped", "Stopped.");
    }

    /// <summary>One life of the box, and what is to be done after it. True when another one shall begin.</summary>
    private static async Task<bool> LiveAsync(BoxLife life, Said said, Supervision supervision, CancellationToken stop)
    {
        var options = life.ReplaceAndReadOptions();
        using var logs = StandardErrorLog.Open(options.LogLevel, life.Log);
        if (StartActions.Apply(options, logs.CreateLogger(typeof(StartActions))))
        {
            options = life.ReadOptions();
        }

        foreach (var words in options.PassedOver)
        {
            PassedOver(logs.CreateLogger(typeof(RunCommand)), words.ToString());
        }

        var catchingUp = new CatchingUp(said, supervision);
        using var hardware = WiredHardware.Open(BoxMachine.HardwareFileOf(options), TimeProvider.System, logs);
        await using (var box = await Box.StartAsync(options, logs, life, hardware, catchingUp, stop))
        {
            life.Began(box);
            catchingUp.IsOver = true;
            supervision.Ready($"Running, with its page at port {box.WebPort}.", box.Health.ProblemAsync, logs.CreateLogger<Supervision>());
            if (!said.IsJson)
            {
                await box.WhenNamedAsync(stop);
            }

            said.Line(said.IsJson ? Listening(box) : Welcome(box, options));
            await life.Ending.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stop.IsCancellationRequested)
            {
                supervision.Stopping(OpeningPatience);
                said.Say("stopping", "Stopping ...");
            }
            else
            {
                supervision.Busy("Restarting.", OpeningPatience);
            }
        }

        if (stop.IsCancellationRequested)
        {
            return false;
        }

        await life.BetweenAsync(options, logs.CreateLogger<BoxLife>(), stop);
        return true;
    }

    private static string Listening(Box box)
    {
        var line = new JsonObject
        {
            ["event"] = "listening",
            ["id"] = box.Id.ToString(),
            ["ssb"] = box.SsbPort,
            ["web"] = box.WebPort,
            ["https"] = box.HttpsPort,
            ["address"] = box.TcpAddress,
            ["socket"] = box.SocketPath,
        };
        if (box.ClaimCode is { } code)
        {
            line["claimCode"] = code;
        }

        if (box.FirstInvite() is { } invite)
        {
            line["invite"] = invite;
        }

        return JsonText.Of(line);
    }

    private static string Welcome(Box box, PiPubOptions options)
    {
        var text = new StringBuilder();
        text.Append($"PiPub {Box.Version} is running.\n");
        text.Append($"  id       {box.Id}\n");
        text.Append($"  address  {(box.Addresses.Count > 0 ? string.Join("\n           ", box.Addresses) : "none that others can reach: set public-host")}\n");
        var host = (options.WebBind.All(IPAddress.IsLoopback) && options.WebBind.Count > 0 ? null : box.HostName) ?? "localhost";
        text.Append($"  web      http://{host}:{box.WebPort}/\n");
        if (box.HttpsPort is { } https)
        {
            text.Append($"  secure   https://{host}:{https}/\n           authority {box.AuthorityFingerprint}\n");
        }
        text.Append($"  data     {options.DataDirectory}\n");
        if (!box.IsClaimed)
        {
            text.Append($"\nMake it yours: open the web address above and type in the code {box.ClaimCode ?? $"from {options.ClaimFile}"}\n");
        }

        if (box.FirstInvite() is { } invite)
        {
            text.Append($"""

                It has no owner yet. Paste this invite into your SSB app ("join a server", "redeem invite"):

                  {invite}

                Whoever uses it first becomes the owner. More invites: pipub invite create


                """);
        }

        return text.Append("Stop it with Ctrl+C.").ToString();
    }

    /// <summary>What is printed about the box's life, for people or for programs.</summary>
    private sealed class Said(TextWriter output, bool isJson)
    {
        public bool IsJson => isJson;

        public void Say(string name, string words) => Line(isJson ? $$"""{"event":"{{name}}"}""" : words);

        public void Line(string line)
        {
            output.WriteLine(line);
            output.Flush();
        }
    }

    /// <summary>Says how far the views have come while they are made again, for whoever waits for the start.</summary>
    private sealed class CatchingUp(Said said, Supervision supervision) : IProgress<ViewProgress>
    {
        /// <summary>From now on the views follow what is appended, which is nothing to tell.</summary>
        public bool IsOver { get; set; }

        public void Report(ViewProgress value)
        {
            if (IsOver || value.IndexedBytes >= value.TotalBytes)
            {
                return;
            }

            var percent = 100 * value.IndexedBytes / value.TotalBytes;
            supervision.Busy($"Reading the messages again to index them: {percent} %.", OpeningPatience);
            said.Line(said.IsJson
                ? $$"""{"event":"indexing","percent":{{percent}},"messages":{{value.Messages}}}"""
                : $"Reading the messages again to index them: {percent} % ({value.Messages} so far) ...");
        }
    }

    /// <summary>
    /// Waits for SIGINT or SIGTERM. Another one a second later ends the process at once, as if nobody listened; not earlier,
    /// since some tools signal a process and its group.
    /// </summary>
    private sealed class StopSignal : IDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly PosixSignalRegistration _interrupt;
        private readonly PosixSignalRegistration _terminate;
        private long? _firstAt;

        public StopSignal(CancellationToken cancellationToken)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Received);
            _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Received);
        }

        public CancellationToken Token => _stop.Token;

        public void Dispose()
        {
            _interrupt.Dispose();
            _terminate.Dispose();
            _stop.Dispose();
        }

        private void Received(PosixSignalContext context)
        {
            _firstAt ??= Environment.TickCount64;
            context.Cancel = Environment.TickCount64 - _firstAt < 1000;
            _stop.Cancel();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A setting is passed over: {Words}")]
    private static partial void PassedOver(ILogger logger, string words);
}
