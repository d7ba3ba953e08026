using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PiPub.CommandLine;

/// <summary><c>pipub publish</c>: a message on the box's own feed.</summary>
internal static class PublishCommand
{
    public static Command Create()
    {
        var content = new Argument<string?>("content")
        {
            Description = "The content as a JSON object with a \"type\"; - reads it from standard input.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var text = new Option<string?>("--text") { Description = "Publish a post with this text instead of a JSON content.", HelpName = "text" };
        var giveUp = new Option<bool>("--give-up-missing")
        {
            Description = "Go on with the feed although older messages of it are missing here. Only if you know that they are gone for good: otherwise this splits the feed in two, which nobody can mend.",
        };
        var command = new Command("publish", "Publish a message on the box's own feed. It can never be taken back.") { content, text, giveUp };
        command.Validators.Add(result =>
        {
            if (result.GetValue(content) is null == result.GetValue(text) is null)
            {
                result.AddError("Give either a JSON content or --text, for example: pipub publish --text \"Hello\"");
            }
        });
        command.SetAction(NodeCall.Action(async call =>
        {
            var given = call.Parsed.GetValue(text) is { } words
                ? new JsonObject { ["type"] = "post", ["text"] = words }
                : Parse(call.Parsed.GetValue(content) is "-" ? await Console.In.ReadToEndAsync(call.CancellationToken) : call.Parsed.GetValue(content)!);
            if (call.Parsed.GetValue(giveUp))
            {
                await call.AskAsync("publishing.override");
            }

            call.Print(await call.AskAsync("publish", given), answer => answer.GetProperty("key").GetString()!);
        }));
        return command;
    }

    private static JsonNode Parse(string content)
    {
        try
        {
            return JsonNode.Parse(content) ?? throw new CommandFailedException("The content is null. It must be a JSON object with a \"type\".");
        }
        catch (JsonException e)
        {
            throw new CommandFailedException($"The content is not JSON: {e.Message}", e);
        }
    }
}
