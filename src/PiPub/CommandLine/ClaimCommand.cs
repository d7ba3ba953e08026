using System.CommandLine;
using PiPub.Web.Access;

namespace PiPub.CommandLine;

/// <summary><c>pipub claim</c>: what the box's button does, for whoever sits at its keyboard.</summary>
internal static class ClaimCommand
{
    public static Command Create()
    {
        var command = new Command("claim", "Do what the box's button does, for two minutes and for the local network only: let a new box be claimed on its page without the code, or an app be connected to one that has been claimed.");
        command.SetAction(NodeCall.Action(async call => call.Print(
            await call.AskAsync(ClaimMethods.Press),
            static answer => answer.GetProperty("claimed").GetBoolean()
                ? $"For {answer.GetProperty("seconds")} seconds the box's page /pair shows a code for one app, without the password."
                : $"For {answer.GetProperty("seconds")} seconds no code is needed: open the box's page and choose a password.")));
        return command;
    }
}
