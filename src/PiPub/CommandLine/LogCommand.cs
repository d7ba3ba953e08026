using System.CommandLine;
using System.Text.Json.Nodes;

namespace PiPub.CommandLine;

/// <summary><c>pipub log export</c>: every message that the box keeps, a line of JSON each.</summary>
internal static class LogCommand
{
    public static Command Create()
    {
        var feed = new Option<string?>("--feed") { Description = "Only the messages of this feed, in its order.", HelpName = "id" };
        var file = new Option<FileInfo?>("--output") { Description = "Write to this file instead of standard output.", HelpName = "file" };
        var export = new Command("export", "Print every message, in the order of arrival: {\"key\", \"value\", \"timestamp\"}, a line each.") { feed, file };
        export.SetAction(NodeCall.Action(async call =>
        {
            await using var output = call.Parsed.GetValue(file)?.Create() ?? Console.OpenStandardOutput();
            await using var buffered = new BufferedStream(output, 1 << 16);
            var messages = call.Parsed.GetValue(feed) is { } id
                ? call.ReadAsync("createUserStream", new JsonObject { ["id"] = id })
                : call.ReadAsync("createLogStream", new JsonObject());
            await foreach (var message in messages)
            {
                await buffered.WriteAsync(message.Bytes, call.CancellationToken);
                buffered.WriteByte((byte)'\n');
            }
        }));
        return new Command("log", "The messages that the box keeps.") { export };
    }
}
