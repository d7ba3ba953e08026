using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace PiPub.Interop;

/// <summary>What a JavaScript program answered when it would not or could not.</summary>
public sealed class JsPeerException(string message) : Exception(message);

/// <summary>
/// A Node.js program that speaks as peers/driver/conversation.js does: one JSON object a line, answers carry the number
/// of their question.
/// </summary>
internal sealed class Conversation : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly string script;
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> waiting = new();
    private readonly TaskCompletionSource<JsonElement> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ChildProcess process;
    private long calls;

    private Conversation(string script, string settings, IReadOnlyList<string>? within)
    {
        this.script = script;
        var project = Repository.NodeProject(Path.GetDirectoryName(script)!);
        process = ChildProcess.Start("node", [Path.Combine(project, Path.GetFileName(script)), settings], Hear, within);
    }

    /// <summary>What the program said when it was ready.</summary>
    public JsonElement Ready { get; private set; }

    public int ProcessId => process.Id;

    /// <summary>Starts a script of tests/Interop/peers, such as "modern/peer.js", and waits until it is ready.</summary>
    public static async Task<Conversation> StartAsync(string script, string settings, IReadOnlyList<string>? within = null)
    {
        var conversation = new Conversation(script, settings, within);
        conversation.Ready = await conversation.OrDeathAsync(conversation.ready.Task);
        return conversation;
    }

    /// <summary>Asks for an operation. Each argument is JSON.</summary>
    /// <exception cref="JsPeerException">The program answered with an error, or died.</exception>
    public async Task<JsonElement> CallAsync(string operation, params string[] arguments)
    {
        var id = Interlocked.Increment(ref calls);
        var answer = waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await process.WriteLineAsync(
                $$"""{"id":{{id}},"call":"{{operation}}","args":[{{string.Join(',', arguments)}}]}""", TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // It does not listen any more: its death says why.
        }
        return await OrDeathAsync(answer.Task);
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    internal static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    internal static string Quote(string text) => Json(writer => writer.WriteStringValue(text));

    private async Task<JsonElement> OrDeathAsync(Task<JsonElement> answer)
    {
        var death = process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var first = await Task.WhenAny(answer, death, Task.Delay(Patience, TestContext.Current.CancellationToken));
        if (first == answer || answer.IsCompleted)
            return await answer;
        throw new JsPeerException($"{script} {(first == death ? "died" : "did not answer")}.\n{process.Complaints}");
    }

    private void Hear(string line)
    {
        using var document = JsonDocument.Parse(line);
        var said = document.RootElement.Clone();
        if (said.TryGetProperty("event", out _))
        {
            ready.TrySetResult(said);
        }
        else if (waiting.TryRemove(said.GetProperty("id").GetInt64(), out var answer))
        {
            if (said.TryGetProperty("error", out var error))
                answer.TrySetException(new JsPeerException(error.GetString()!));
            else
                answer.TrySetResult(said.GetProperty("result"));
        }
    }
}
