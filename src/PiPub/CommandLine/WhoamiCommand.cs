using System.CommandLine;

namespace PiPub.CommandLine;

/// <summary><c>pipub whoami</c>: the box's id.</summary>
internal static class WhoamiCommand
{
    public static Command Create()
    {
        var command = new Command("whoami", "Print the id of the box (its own feed, not its owner's).");
        command.SetAction(NodeCall.Action(async call =>
            call.Print(await call.AskAsync("whoami"), answer => answer.GetProperty("id").GetString()!)));
        return command;
    }
}
