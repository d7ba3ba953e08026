using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub status</c>: how the box is doing.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var command = new Command("status", "Show how the box is doing: messages, feeds, blobs, peers, disk.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("status"), ForPeople)));
        return command;
    }

    private static string ForPeople(JsonElement status)
    {
        var text = new StringBuilder();
        Lines(text, status, "");
        return text.ToString().TrimEnd('\n');
    }

    private static void Lines(StringBuilder text, JsonElement element, string path)
    {
        foreach (var property in element.EnumerateObject())
        {
            var name = path.Length == 0 ? property.Name : $"{path} {property.Name}";
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                Lines(text, property.Value, name);
            }
            else
            {
                text.Append(name).Append(": ").Append(Value(property)).Append('\n');
            }
        }
    }

    private static string Value(JsonProperty property) =>
        property.Name.Contains("bytes", StringComparison.OrdinalIgnoreCase) && property.Value.TryGetInt64(out var bytes) ? Size(bytes)
        : property.Value.ValueKind == JsonValueKind.Array ? string.Join(", ", property.Value.EnumerateArray().Select(item => item.ToString()))
        : property.Value.ToString();

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " GB",
        >= 1_000_000 => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB",
        >= 1_000 => (bytes / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + " kB",
        _ => bytes + " B",
    };
}
