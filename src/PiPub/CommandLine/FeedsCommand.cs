using System.CommandLine;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub feeds</c>: every feed that is kept or wanted, and how it stands.</summary>
internal static class FeedsCommand
{
    public static Command Create()
    {
        var command = new Command("feeds", "List every feed that is kept: how many messages, how many hops away, and whether something is wrong with it.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("feeds.list"), ForPeople)));
        return command;
    }

    private static string ForPeople(JsonElement feeds)
    {
        var table = new TextTable("id", "messages", "hops", "status");
        foreach (var feed in feeds.EnumerateArray())
        {
            table.Add(
                feed.GetProperty("id").GetString()!,
                feed.GetProperty("sequence").ToString(),
                feed.TryGetProperty("hops", out var hops) && hops.ValueKind == JsonValueKind.Number ? hops.ToString() : "-",
                feed.TryGetProperty("status", out var status) ? status.ToString() : "");
        }

        return table.ToString();
    }
}
