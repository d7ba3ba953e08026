using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary><c>pipub blobs add</c>, <c>get</c> and <c>want</c>: pictures and files. Source: ssb-blobs 2.0.1.</summary>
internal static class BlobCommands
{
    private const int ChunkBytes = 64 * 1024;

    public static Command Create() => new("blobs", "Pictures and files: add one, get one, ask the peers for one.")
    {
        Add(),
        Get(),
        Want(),
    };

    private static Command Add()
    {
        var file = new Argument<string>("file") { Description = "The file to add; - reads standard input." };
        var command = new Command("add", "Add a file as a blob and print its id.") { file };
        command.SetAction(NodeCall.Action(async call =>
        {
            var path = call.Parsed.GetRequiredValue(file);
            await using var input = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            var id = await AddAsync(call, input);
            call.Out.WriteLine(call.Json ? JsonText.Of(new JsonObject { ["id"] = id }) : id);
        }));
        return command;
    }

    private static Command Get()
    {
        var blob = BlobArgument();
        var file = new Option<FileInfo?>("--output", "-o") { Description = "Write to this file instead of standard output.", HelpName = "file" };
        var command = new Command("get", "Print the bytes of a blob that the box holds.") { blob, file };
        command.SetAction(NodeCall.Action(async call =>
        {
            var id = call.Parsed.GetRequiredValue(blob).ToString();
            if (!(await call.AskAsync("blobs.has", id)).GetBoolean())
            {
                throw new CommandFailedException($"The box does not hold {id}. Ask its peers for it with: pipub blobs want '{id}'");
            }

            await using var output = call.Parsed.GetValue(file)?.Create() ?? Console.OpenStandardOutput();
            await foreach (var chunk in call.ReadAsync("blobs.get", id))
            {
                await output.WriteAsync(chunk.Bytes, call.CancellationToken);
            }
        }));
        return command;
    }

    private static Command Want()
    {
        var blob = BlobArgument();
        var command = new Command("want", "Ask the peers for a blob and wait until it is here. Ctrl+C stops the waiting, not the asking.") { blob };
        command.SetAction(NodeCall.Action(async call =>
            call.Print(await call.AskAsync("blobs.want", call.Parsed.GetRequiredValue(blob).ToString()), _ => "It is here.")));
        return command;
    }

    private static async Task<string> AddAsync(NodeCall call, Stream input)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var stream = call.Node.Open("blobs.add", CallType.Sink, JsonText.Arguments());
        var chunk = new byte[ChunkBytes];
        for (int length; (length = await input.ReadAsync(chunk, call.CancellationToken)) > 0;)
        {
            hash.AppendData(chunk, 0, length);
            await stream.WriteAsync(BodyType.Binary, chunk.AsMemory(0, length), call.CancellationToken);
        }

        stream.Complete();
        while (await stream.ReadAsync(call.CancellationToken) is not null)
        {
            // Some servers answer a sink with the id before they end it; the hash says the same.
        }

        var id = new BlobId(hash.GetHashAndReset()).ToString();
        return (await call.AskAsync("blobs.has", id)).GetBoolean()
            ? id
            : throw new CommandFailedException("The node took the bytes and kept nothing. Its log says why.");
    }

    private static Argument<BlobId> BlobArgument() => new("blob")
    {
        Description = "The blob's id: &(44 characters).sha256",
        CustomParser = result =>
        {
            if (BlobId.TryParse(result.Tokens[0].Value.AsSpan(), out var id))
            {
                return id;
            }

            result.AddError($"\"{result.Tokens[0].Value}\" is not a blob id. One looks like &(44 characters of base64).sha256");
            return default;
        },
    };
}
