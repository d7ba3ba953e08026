using System.CommandLine;
using PiPub.Web.Access;

namespace PiPub.CommandLine;

/// <summary><c>pipub claim</c>: what the box's button does, for whoever sits at its keyboard.</summary>
internal static class ClaimCommand
{
    public static Command Create()
    {
        var command = new Command("claim", "Let a new box be claimed on its page without the code, for two minutes and from the local network only.");
        command.SetAction(NodeCall.Action(async call => call.Print(
            await call.AskAsync(ClaimMethods.Press),
            static answer => $"For {answer.GetProperty("seconds")} seconds no code is needed: open the box's page and choose a password.")));
        return command;
    }
}
