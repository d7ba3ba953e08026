using System.CommandLine;

namespace PiPub.CommandLine;

/// <summary><c>pipub run</c>: the node itself, until it is told to stop.</summary>
internal static class RunCommand
{
    public const string Name = "run";

    public static Command Create()
    {
        var command = new Command(Name, "Start the node. It runs until Ctrl+C, SIGINT or SIGTERM.");
        command.SetAction((parsed, cancellationToken) => throw new NotSupportedException());
        return command;
    }
}
