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
        foreach (var property in status.EnumerateObject())
        {
            // What is nested is there for older tools.
            if (property.Value.ValueKind != JsonValueKind.Object)
            {
                text.Append(Words(property.Name).PadRight(18)).Append(Value(property)).Append('\n');
            }
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>A name such as <c>blobsWanted</c> as words: blobs wanted. A unit at its end is told with the value.</summary>
    private static string Words(string name)
    {
        name = name.Replace("Bytes", "", StringComparison.Ordinal).Replace("Seconds", "", StringComparison.Ordinal);
        var words = new StringBuilder();
        foreach (var c in name)
        {
            words.Append(char.IsUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString());
        }

        return words.ToString();
    }

    private static string Value(JsonProperty property) =>
        property.Name.EndsWith("Bytes", StringComparison.Ordinal) && property.Value.TryGetInt64(out var bytes) ? Size(bytes)
        : property.Name.EndsWith("Seconds", StringComparison.Ordinal) && property.Value.TryGetInt64(out var seconds) ? Duration(TimeSpan.FromSeconds(seconds))
        : property.Value.ToString();

    private static string Duration(TimeSpan time) =>
        time.TotalDays >= 1 ? $"{(int)time.TotalDays} d {time.Hours} h"
        : time.TotalHours >= 1 ? $"{time.Hours} h {time.Minutes} min"
        : time.TotalMinutes >= 1 ? $"{time.Minutes} min"
        : $"{time.Seconds} s";

    private static string Size(long bytes) => bytes switch
    {
        >= 1_000_000_000 => (bytes / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " GB",
        >= 1_000_000 => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB",
        >= 1_000 => (bytes / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + " kB",
        _ => bytes + " B",
    };
}
