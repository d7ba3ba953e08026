using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace PiPub.CommandLine;

/// <summary><c>pipub invite create</c>, <c>list</c> and <c>revoke</c>: letting people in. Source: ssb-invite 3.0.1.</summary>
internal static class InviteCommands
{
    public static Command Create() => new("invite", "Let people in: an invite code makes the box follow whoever uses it.")
    {
        CreateInvite(),
        List(),
        Revoke(),
    };

    private static Command CreateInvite()
    {
        var uses = new Option<int?>("--uses")
        {
            Description = "How many people may use it. Default: 1.",
            HelpName = "number",
            CustomParser = result =>
            {
                if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0)
                {
                    return number;
                }

                result.AddError("--uses must be a whole number, 1 or more.");
                return null;
            },
        };
        var note = new Option<string?>("--note") { Description = "A word on whom it is for. It becomes part of the public follow message.", HelpName = "text" };
        var expires = new Option<double?>("--expires")
        {
            Description = "After how many hours it is worth nothing. Default: never.",
            HelpName = "hours",
            CustomParser = result =>
            {
                if (double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var hours) && hours is > 0 and < 1e6)
                {
                    return hours;
                }

                result.AddError("--expires must be a number of hours, more than 0.");
                return null;
            },
        };
        var command = new Command("create", "Make an invite code and print it.") { uses, note, expires };
        command.SetAction(NodeCall.Action(async call =>
        {
            var options = new JsonObject { ["uses"] = call.Parsed.GetValue(uses) ?? 1 };
            if (call.Parsed.GetValue(note) is { } text)
            {
                options["note"] = text;
            }

            if (call.Parsed.GetValue(expires) is { } hours)
            {
                options["expires"] = DateTimeOffset.UtcNow.AddHours(hours).ToUnixTimeMilliseconds();
            }

            options["all"] = true;
            call.Print(await call.AskAsync("invite.create", options), answer => answer.GetProperty("invite").GetString()!);
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List the invites: how often each was used and may be used still.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("invite.list"), ForPeople)));
        return command;
    }

    private static Command Revoke()
    {
        var invite = new Argument<string>("id") { Description = "The invite's id, as `pipub invite list` shows it, or the code itself." };
        var command = new Command("revoke", "Make an invite worthless. Whoever came in by it stays.") { invite };
        command.SetAction(NodeCall.Action(async call =>
            call.Print(await call.AskAsync("invite.revoke", call.Parsed.GetRequiredValue(invite)), _ => "Revoked.")));
        return command;
    }

    private static string ForPeople(JsonElement invites)
    {
        var table = new TextTable("id", "used", "made", "state", "note");
        foreach (var invite in invites.EnumerateArray())
        {
            table.Add(
                invite.GetProperty("id").GetString()!,
                $"{invite.GetProperty("used")} of {invite.GetProperty("total")}",
                $"{Time(invite, "created"):yyyy-MM-dd}",
                State(invite),
                invite.TryGetProperty("note", out var note) ? note.ToString() : "");
        }

        return table.Count == 0 ? "There are no invites. Make one with: pipub invite create" : table.ToString();
    }

    private static string State(JsonElement invite) =>
        Time(invite, "revoked") is { } revoked ? $"revoked {revoked:yyyy-MM-dd}"
        : invite.GetProperty("used").GetInt64() >= invite.GetProperty("total").GetInt64() ? "used up"
        : Time(invite, "expires") is not { } expires ? "good"
        : expires < DateTimeOffset.UtcNow ? $"expired {expires:yyyy-MM-dd HH:mm}"
        : $"good until {expires:yyyy-MM-dd HH:mm} UTC";

    private static DateTimeOffset? Time(JsonElement invite, string name) =>
        invite.TryGetProperty(name, out var value) ? DateTimeOffset.FromUnixTimeMilliseconds(value.GetInt64()) : null;
}
