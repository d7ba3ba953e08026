using System.CommandLine;
using System.Text.Json.Nodes;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.CommandLine;

/// <summary>
/// <c>pipub follow</c>, <c>unfollow</c>, <c>block</c>: contact messages on the box's own feed, which everybody can read.
/// With <c>--privately</c> a feed is kept, or no longer kept, without a word to anybody: it is on the box's private list.
/// Source: ssb-friends 5.1.7 (the last message about a feed counts); ssb-ebt 9.1.2 (request).
/// </summary>
internal static class ContactCommands
{
    public static Command Follow() => Contact(
        "follow", "Follow a feed: the box keeps it, and the feeds that it follows in turn. Anybody can see this.", following: true, blocking: false, "Following", Privately("Keep the feed without following it: nobody can see this, and the feeds that it follows are not kept."));

    public static Command Unfollow() => Contact(
        "unfollow", "Stop following a feed, or stop blocking it.", following: false, blocking: false, "No longer following", Privately("Take the feed off the list of those that are kept without being followed."));

    public static Command Block() => Contact(
        "block", "Block a feed: its messages are no longer fetched or passed on, and it cannot connect. Anybody can see this.", following: false, blocking: true, "Blocked");

    private static Command Contact(string name, string description, bool following, bool blocking, string done, Option<bool>? privately = null)
    {
        var feed = FeedArgument();
        var command = new Command(name, description) { feed };
        if (privately is not null)
        {
            command.Add(privately);
        }

        command.SetAction(NodeCall.Action(async call =>
        {
            var contact = call.Parsed.GetRequiredValue(feed);
            if (privately is not null && call.Parsed.GetValue(privately))
            {
                call.Print(await call.AskAsync("ebt.request", contact.ToString(), following), _ => following ? $"Keeping {contact}." : $"No longer keeping {contact} by request.");
                return;
            }

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

    private static Option<bool> Privately(string description) => new("--privately") { Description = description };

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
