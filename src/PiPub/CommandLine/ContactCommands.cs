using System.CommandLine;
using System.Text.Json.Nodes;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.CommandLine;

/// <summary>
/// <c>pipub follow</c>, <c>unfollow</c>, <c>block</c>: contact messages on the box's own feed, which everybody can read.
/// Source: ssb-friends 5.1.7 (the last message about a feed counts).
/// </summary>
internal static class ContactCommands
{
    public static Command Follow() => Contact(
        "follow", "Follow a feed: the box keeps it, and the feeds that it follows in turn. Anybody can see this.", following: true, blocking: false, "Following");

    public static Command Unfollow() => Contact(
        "unfollow", "Stop following a feed, or stop blocking it.", following: false, blocking: false, "No longer following");

    public static Command Block() => Contact(
        "block", "Block a feed: its messages are no longer fetched or passed on, and it cannot connect. Anybody can see this.", following: false, blocking: true, "Blocked");

    private static Command Contact(string name, string description, bool following, bool blocking, string done)
    {
        var feed = FeedArgument();
        var command = new Command(name, description) { feed };
        command.SetAction(NodeCall.Action(async call =>
        {
            var contact = call.Parsed.GetRequiredValue(feed);
            var content = new JsonObject
            {
                ["type"] = "contact",
                ["contact"] = contact.ToString(),
                ["following"] = following,
                ["blocking"] = blocking,
            };
            call.Print(await call.AskAsync("publish", content), _ => $"{done} {contact}.");
        }));
        return command;
    }

    private static Argument<FeedId> FeedArgument() => new("feed")
    {
        Description = "The feed's id: @(44 characters).ed25519",
        CustomParser = result =>
        {
            if (FeedId.TryParse(result.Tokens[0].Value.AsSpan(), out var id))
            {
                return id;
            }

            result.AddError($"\"{result.Tokens[0].Value}\" is not a feed id. One looks like @(44 characters of base64).ed25519");
            return default;
        },
    };
}
