using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary><c>pipub import</c>: what another Scuttlebutt program kept comes into the running node.</summary>
internal static class ImportCommand
{
    private const int RestartAttempts = 60;
    private static readonly TimeSpan RestartPause = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var path = new Argument<string?>("path")
        {
            Description = "A log.offset of ssb-server or Patchwork, a log.bipf of ssb-db2, or a directory like ~/.ssb, of which blobs and addresses come too.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var secret = new Option<string?>("--secret") { Description = "Go on as the old pub, with the key in this file. The old pub must never run again with it.", HelpName = "file" };
        var off = new Option<bool>("--old-pub-is-off") { Description = "Confirms, with --secret, that the old pub will never run again. Two programs that write with one key destroy its feed." };
        var replace = new Option<bool>("--replace-identity") { Description = "Confirms, with --secret, that the box gives up the identity with which it has published already." };
        var complete = new Option<bool>("--complete") { Description = "Confirms that the old pub published nothing after these files were copied. Otherwise the box publishes only once two peers have told how far its feed has got." };
        var command = new Command("import", "Bring along what another Scuttlebutt program kept: its messages, blobs and addresses, and its identity if wanted.") { path, secret, off, replace, complete };
        command.Validators.Add(result =>
        {
            if (result.GetValue(path) is null && result.GetValue(secret) is null)
            {
                result.AddError("Name what to import, for example: pipub import ~/.ssb");
            }
        });
        command.SetAction(NodeCall.Action(async call =>
        {
            await call.AskAsync("import.start", new JsonObject
            {
                ["path"] = call.Parsed.GetValue(path) is { } from ? Path.GetFullPath(from) : null,
                ["secret"] = call.Parsed.GetValue(secret) is { } key ? Path.GetFullPath(key) : null,
                ["oldPubIsOff"] = call.Parsed.GetValue(off),
                ["replaceIdentity"] = call.Parsed.GetValue(replace),
                ["complete"] = call.Parsed.GetValue(complete),
            });
            await FollowAsync(call, call.Parsed.GetValue(secret) is not null);
        }));
        return command;
    }

    private static async Task FollowAsync(NodeCall call, bool endsInRestart)
    {
        JsonElement last = default;
        try
        {
            await foreach (var item in call.ReadAsync("import.progress"))
            {
                last = item.ToJson();
                if (State(last) == "running" && !call.Json)
                {
                    call.Out.WriteLine(UnderWay(last));
                }
            }
        }
        catch (RpcException) when (endsInRestart)
        {
            // The box was quicker than its last word. It knows it after the restart.
        }

        if (last.ValueKind == JsonValueKind.Undefined || State(last) == "running")
        {
            last = await AskAfterRestartAsync(call);
        }

        call.Print(last, ForPeople);
        if (State(last) == "failed")
        {
            throw new CommandFailedException(last.GetProperty("problem").GetString()!);
        }
    }

    private static async Task<JsonElement> AskAfterRestartAsync(NodeCall call)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var session = await LocalNode.ConnectAsync(call.Options.DataDirectory, call.CancellationToken);
                await foreach (var item in new NodeCall(call.Parsed, session, call.Options, call.CancellationToken).ReadAsync("import.progress"))
                {
                    return item.ToJson();
                }
            }
            catch (Exception e) when (e is CommandFailedException or RpcException && attempt < RestartAttempts)
            {
                await Task.Delay(RestartPause, call.CancellationToken);
            }
        }
    }

    private static string? State(JsonElement progress) => progress.GetProperty("state").GetString();

    private static string UnderWay(JsonElement progress)
    {
        var total = progress.GetProperty("totalBytes").GetInt64();
        var percent = total == 0 ? 100 : 100 * progress.GetProperty("doneBytes").GetInt64() / total;
        var left = progress.TryGetProperty("remainingSeconds", out var seconds) ? $", about {TimeSpan.FromSeconds(seconds.GetDouble()):h\\:mm\\:ss} left" : "";
        return progress.GetProperty("stage").GetString() == "blobs"
            ? $"Blobs: {percent} %, {progress.GetProperty("blobs")} new{left}"
            : $"Messages: {percent} %, {progress.GetProperty("added")} new, {progress.GetProperty("known")} known, {progress.GetProperty("refused")} refused{left}";
    }

    private static string ForPeople(JsonElement progress)
    {
        var text = new StringBuilder();
        text.Append($"{progress.GetProperty("added")} messages are new, {progress.GetProperty("known")} were here already, of {progress.GetProperty("feeds")} feeds.\n");
        if (progress.GetProperty("blobs").GetInt64() + progress.GetProperty("blobsKnown").GetInt64() + progress.GetProperty("blobsRefused").GetInt64() > 0)
        {
            text.Append($"{progress.GetProperty("blobs")} blobs are new, {progress.GetProperty("blobsKnown")} were here already, {progress.GetProperty("blobsRefused")} were left behind.\n");
        }

        if (progress.GetProperty("addresses").GetInt32() is > 0 and var addresses)
        {
            text.Append($"{addresses} addresses of others are in the address book.\n");
        }

        if (progress.GetProperty("otherFormats").GetInt64() is > 0 and var others)
        {
            text.Append($"{others} messages are of feed formats that this box does not keep.\n");
        }

        if (progress.GetProperty("deleted").GetInt64() is > 0 and var deleted)
        {
            text.Append($"{deleted} messages had been deleted there.\n");
        }

        foreach (var words in progress.GetProperty("damageWords").EnumerateArray())
        {
            text.Append($"The log is damaged. {words.GetString()}\n");
        }

        if (progress.GetProperty("refused").GetInt64() is > 0 and var refused)
        {
            text.Append($"{refused} messages were not taken:\n");
            foreach (var trouble in progress.GetProperty("troubles").EnumerateArray())
            {
                text.Append($"  {trouble.GetProperty("feed").GetString()} from message {trouble.GetProperty("sequence")}: {Why(trouble)} ({trouble.GetProperty("count")})\n");
            }
        }

        if (progress.TryGetProperty("identity", out var identity))
        {
            text.Append($"The box restarts now as {identity.GetString()}. Its former secret is kept beside as secret.replaced-1. Ask `pipub status` afterwards whether it may publish.\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    private static string Why(JsonElement trouble) => trouble.GetProperty("kind").GetString() switch
    {
        "invalid" => $"not valid, {trouble.GetProperty("reason").GetString()}",
        "forked" => "contradicts what is here",
        "blocked" => "the box blocks this feed",
        _ => "messages before it are missing; peers bring them",
    };
}
