using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using PiPub.Configuration;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.CommandLine;

/// <summary>What a command that speaks to the running node has at hand.</summary>
internal sealed class NodeCall(ParseResult parsed, IRpcSession node, PiPubOptions options, CancellationToken cancellationToken)
{
    public ParseResult Parsed => parsed;

    public IRpcSession Node => node;

    public PiPubOptions Options => options;

    public CancellationToken CancellationToken => cancellationToken;

    public TextWriter Out => parsed.InvocationConfiguration.Output;

    public bool Json => parsed.GetValue(SharedOptions.Json);

    /// <summary>Makes an action that connects to the running node, does <paramref name="work"/>, and says goodbye.</summary>
    public static Func<ParseResult, CancellationToken, Task> Action(Func<NodeCall, Task> work) => async (parsed, cancellationToken) =>
    {
        var options = SharedOptions.Read(parsed);
        await using var session = await LocalNode.ConnectAsync(options.DataDirectory, cancellationToken);
        await work(new NodeCall(parsed, session, options, cancellationToken));
    };

    /// <summary>An async call with the given arguments; a JSON answer as it came.</summary>
    public async Task<JsonElement> AskAsync(string method, params JsonNode?[] arguments)
    {
        var body = await node.CallAsync(method, JsonText.Arguments(arguments), cancellationToken);
        return body.ToJson();
    }

    /// <summary>Opens a source and gives its items as they come.</summary>
    public async IAsyncEnumerable<RpcBody> ReadAsync(string method, params JsonNode?[] arguments)
    {
        var stream = node.Open(method, CallType.Source, JsonText.Arguments(arguments));
        while (await stream.ReadAsync(cancellationToken) is { } item)
        {
            yield return item;
        }

        stream.Complete();
    }

    /// <summary>Prints the answer for a program, or what <paramref name="forPeople"/> makes of it.</summary>
    public void Print(JsonElement answer, Func<JsonElement, string> forPeople) =>
        Out.WriteLine(Json ? answer.GetRawText() : forPeople(answer));
}
