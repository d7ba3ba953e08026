using System.CommandLine;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub own-feed</c>: whether the box may publish, and the owner's word that it may.</summary>
internal static class OwnFeedCommands
{
    public static Command Create()
    {
        var command = new Command("own-feed", "Show whether the box may publish on its own feed, and if not, why.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("ownFeed.state"), Words)));

        var yes = new Option<bool>("--messages-are-lost") { Description = "Say that you know it: what is missing will never come back.", };
        var give = new Command("override", "Publish on although messages of the box's own feed are missing here. If they still exist anywhere, this splits the feed in two, and peers stop following it.") { yes };
        give.Validators.Add(result =>
        {
            if (!result.GetValue(yes))
            {
                result.AddError("This cannot be taken back. Add --messages-are-lost if you know that the missing messages will never come back.");
            }
        });
        give.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("ownFeed.override"), Words)));
        command.Add(give);
        return command;
    }

    private static string Words(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.True ? "The box may publish." : answer.GetString()!;
}
