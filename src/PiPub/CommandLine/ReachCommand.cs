using System.CommandLine;
using System.Text;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub reach</c>: whether the box can be reached from outside, why, and what would help.</summary>
internal static class ReachCommand
{
    public static Command Create()
    {
        var command = new Command("reach", "Show whether the box can be reached from outside, by which addresses, and what would help if it cannot.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("reach.report"), ForPeople)));
        return command;
    }

    private static string ForPeople(JsonElement report)
    {
        var text = new StringBuilder(report.GetProperty("summary").GetString()).Append('\n');
        if (report.GetProperty("advice").GetString() is { } advice)
        {
            text.Append(advice).Append('\n');
        }

        if (report.GetProperty("hostName").GetString() is { } name)
        {
            text.Append($"At home it is called {name}.\n");
        }

        var table = new TextTable("address", "reaches", "works", "problem");
        foreach (var address in report.GetProperty("addresses").EnumerateArray())
        {
            table.Add(
                Where(address.GetProperty("address").GetString()!),
                address.GetProperty("scope").GetString() == "public" ? "everywhere" : "at home",
                Works(address),
                address.GetProperty("problem").GetString() ?? "-");
        }

        if (table.Count > 0)
        {
            text.Append('\n').Append(table).Append('\n');
        }

        foreach (var attempt in report.GetProperty("attempts").EnumerateArray())
        {
            text.Append($"\n{Protocol(attempt)}: {(attempt.GetProperty("error").GetString() is { } error ? error : attempt.GetProperty("answered").GetBoolean() ? "the router passes the port on." : "no answer.")}");
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>The address without the box's key, which is the same in all of them.</summary>
    private static string Where(string address) => address.IndexOf("~shs:", StringComparison.Ordinal) is >= 0 and var end ? address[..end] : address;

    private static string Works(JsonElement address) =>
        !address.GetProperty("proven").GetBoolean() ? "-"
        : DateTimeOffset.FromUnixTimeMilliseconds(address.GetProperty("provenAt").GetInt64()) is var at ? $"seen {at:yyyy-MM-dd HH:mm} UTC" : "";

    private static string Protocol(JsonElement attempt) => attempt.GetProperty("protocol").GetString() switch
    {
        "pcp" => "PCP",
        "nat-pmp" => "NAT-PMP",
        _ => "UPnP",
    };
}
