using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.Json.Nodes;
using PiPub.Configuration;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>The commands of the one executable, and how each of them ends: 0 done, 1 failed, 2 wrongly asked.</summary>
public static class Commands
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int WronglyAsked = 2;

    // Feed ids begin with the @ that would otherwise name a file of further arguments.
    private static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    /// <summary>Parses and runs a command line.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var parsed = Root().Parse(arguments, Parsing);
        var invocation = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // `run` and the streams stop by themselves when they are told to; nothing is cut off under them.
            ProcessTerminationTimeout = null,
        };
        if (parsed.Action is ParseErrorAction wrong)
        {
            // Only who named no command at all needs the list of them.
            wrong.ShowHelp = parsed.CommandResult.Command.Subcommands.Count > 0;
        }

        try
        {
            var code = await parsed.InvokeAsync(invocation, cancellationToken);
            return parsed.Errors.Count > 0 ? WronglyAsked : code;
        }
        catch (ConfigurationException e)
        {
            Report(e.Message);
            return WronglyAsked;
        }
        catch (Exception e) when (e is CommandFailedException or RpcException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            Report(e.Message);
            return Failed;
        }
        catch (TypeInitializationException e) when (e.InnerException is DllNotFoundException missing)
        {
            Report(missing.Message);
            return Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Done;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A mistake in PiPub itself: whoever mends it needs all there is.
            Report($"Something failed that should not have. Please report this: {e}");
            return Failed;
        }

        void Report(string message) =>
            error.WriteLine(parsed.GetValue(SharedOptions.Json) ? JsonText.Of(new JsonObject { ["error"] = message }) : message);
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("PiPub: a Secure Scuttlebutt pub for a small box at home.")
        {
            RunCommand.Create(),
            ClaimCommand.Create(),
            WhoamiCommand.Create(),
            StatusCommand.Create(),
            HealthCommand.Create(),
            RestartCommand.Create(),
            InviteCommands.Create(),
            ContactCommands.Follow(),
            ContactCommands.Unfollow(),
            ContactCommands.Block(),
            PublishCommand.Create(),
            PeerCommands.Peers(),
            PeerCommands.Connect(),
            DiscoverCommand.Create(),
            ReachCommand.Create(),
            FeedsCommand.Create(),
            BlobCommands.Create(),
            LogCommand.Create(),
            ImportCommand.Create(),
            VerifyCommand.Create(),
            BackupCommands.Create(),
            ProvisionCommand.Create(),
            ConfigCommand.Create(),
        };
        SharedOptions.AddTo(root);
        return root;
    }
}
