using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using PiPub.Configuration;
using PiPub.Node.Identity;
using PiPub.Storage.Blobs;
using PiPub.Storage.Disk;
using PiPub.Storage.State;
using PiPub.Storage.Verification;

namespace PiPub.CommandLine;

/// <summary>
/// <c>pipub verify</c>: checks the whole log and every blob. While the node runs it does the checking itself, beside its work;
/// otherwise this process does, reading only.
/// </summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var salvage = new Option<bool>("--salvage")
        {
            Description = "Make a new log of all that is whole in a damaged one, which is kept beside it. Only while the node is stopped.",
        };
        var command = new Command("verify", "Check every message and every blob that is kept. Ends with 1 when something is damaged.") { salvage };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = SharedOptions.Read(parsed);
            if (!Directory.Exists(options.DataDirectory))
            {
                throw new CommandFailedException($"There is no data directory {options.DataDirectory}.");
            }

            return parsed.GetValue(salvage)
                ? await SalvageAsync(parsed, options, cancellationToken)
                : Print(parsed, await VerifyAsync(parsed, options, cancellationToken));
        });
        return command;
    }

    private static async Task<JsonElement> VerifyAsync(ParseResult parsed, PiPubOptions options, CancellationToken cancellationToken)
    {
        if (await LocalNode.TryConnectAsync(options.DataDirectory, cancellationToken) is { } node)
        {
            await using (node)
            {
                if (!parsed.GetValue(SharedOptions.Json))
                {
                    parsed.InvocationConfiguration.Output.WriteLine("The node is running and checks what it keeps ...");
                }

                return (await node.CallAsync("verify", JsonText.Arguments(), cancellationToken)).ToJson();
            }
        }

        using var data = DataDirectory.Open(options.DataDirectory, reserveBytes: 0);
        await using var blobs = FileBlobStore.Open(data.BlobsPath);
        var report = await new StoreVerifier(options.MessageHmacKey).VerifyAsync(data.LogPath, log: null, blobs, views: null, progress: null, cancellationToken);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            StoreReportJson.Write(json, report);
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static async Task<int> SalvageAsync(ParseResult parsed, PiPubOptions options, CancellationToken cancellationToken)
    {
        using var data = DataDirectory.Open(options.DataDirectory, reserveBytes: 0);
        var report = await LogSalvage.RunAsync(data, cancellationToken);
        BarPublishing(data);
        parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json)
            ? JsonText.Of(new JsonObject { ["kept"] = report.Kept, ["left"] = report.Left, ["damagedLog"] = report.DamagedLog })
            : $"{report.Kept} messages are in the new log; {report.Left} that no longer continue their feeds were left out, peers send them again. The box publishes nothing until peers have sent its own feed back. The damaged log lies in {report.DamagedLog}.");
        return 0;
    }

    /// <summary>The box's own newest messages may be among the lost ones; writing others in their place would fork its feed.</summary>
    private static void BarPublishing(DataDirectory data)
    {
        if (SecretFile.Exists(data.Path))
        {
            using var state = StateDatabase.Open(data.Path);
            var own = SecretFile.ReadOrCreate(data.Path, out _).Id;
            var table = new OwnFeedTable(state);
            table.Write(own, isFree: false, table.Read(own).Reached);
        }
    }

    private static int Print(ParseResult parsed, JsonElement report)
    {
        parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json) ? report.GetRawText() : ForPeople(report));
        return report.GetProperty("clean").GetBoolean() ? 0 : 1;
    }

    private static string ForPeople(JsonElement report)
    {
        var text = new StringBuilder();
        foreach (var damage in report.GetProperty("damages").EnumerateArray())
        {
            text.Append($"{damage.GetProperty("where")}: {damage.GetProperty("what")}. {damage.GetProperty("wayOut")}.\n");
        }

        text.Append($"{report.GetProperty("messages")} messages of {report.GetProperty("feeds")} feeds and {report.GetProperty("blobs")} blobs checked: ");
        text.Append(report.GetProperty("clean").GetBoolean() ? "all is whole." : $"{report.GetProperty("damageCount")} damages.");
        return report.GetProperty("tornBytes").GetInt64() is > 0 and var torn
            ? text.Append($"\nA crash left {torn} bytes of a batch that was never finished; the next start cuts them off.").ToString()
            : text.ToString();
    }
}
