using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using PiPub.Composition;
using PiPub.Configuration;

namespace PiPub.CommandLine;

/// <summary><c>pipub run</c>: the node itself, until it is told to stop.</summary>
internal static class RunCommand
{
    public const string Name = "run";

    public static Command Create()
    {
        var command = new Command(Name, "Start the node. It runs until Ctrl+C, SIGINT or SIGTERM.");
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var options = SharedOptions.Read(parsed);
        var output = parsed.InvocationConfiguration.Output;
        var json = parsed.GetValue(SharedOptions.Json);
        using var stop = new StopSignal(cancellationToken);
        using var logs = StandardErrorLog.Open(options.LogLevel);
        await using (var box = await Box.StartAsync(options, logs, stop.Token))
        {
            output.WriteLine(json ? ForPrograms(box) : ForPeople(box, options));
            output.Flush();
            await stop.WaitAsync();
            output.WriteLine(json ? """{"event":"stopping"}""" : "Stopping ...");
        }

        output.WriteLine(json ? """{"event":"stopped"}""" : "Stopped.");
    }

    private static string ForPrograms(Box box) => JsonText.Of(new JsonObject
    {
        ["event"] = "listening",
        ["id"] = box.Id.ToString(),
        ["ssb"] = box.SsbPort,
        ["web"] = box.WebPort,
        ["address"] = box.MultiserverAddresses.FirstOrDefault(),
    });

    private static string ForPeople(Box box, PiPubOptions options) => $"""
        PiPub {Assembly.GetExecutingAssembly().GetName().Version?.ToString(3)} is running.
          id       {box.Id}
          address  {string.Join("\n           ", box.MultiserverAddresses)}
          web      http://localhost:{box.WebPort}/
          data     {options.DataDirectory}
        Stop it with Ctrl+C.
        """;

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

        public async Task WaitAsync()
        {
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = Token.Register(stopped.SetResult);
            await stopped.Task;
        }

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
}
