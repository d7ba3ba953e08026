using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace PiPub.Interop;

/// <summary>Which JavaScript stack a peer runs.</summary>
public enum Stack
{
    /// <summary>ssb-server 16 with ssb-db, ssb-gossip, ssb-replicate, ssb-ebt 5, ssb-invite.</summary>
    Classic,

    /// <summary>secret-stack 6 with ssb-db2, ssb-conn, ssb-ebt 9, ssb-invite-client.</summary>
    Modern,
}

/// <summary>What a JavaScript peer answered when it would not or could not.</summary>
public sealed class JsPeerException(string message) : Exception(message);

/// <summary>
/// A real JavaScript peer in a process of its own, driven by peers/driver/conversation.js: one JSON object a line,
/// answers carry the number of their question.
/// </summary>
internal sealed class JsPeer : IAsyncDisposable
{
    /// <summary>Generous: a slow machine must not fail a test, only a lost message may.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> waiting = new();
    private readonly TaskCompletionSource<JsonElement> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess process = null!;
    private long calls;

    private JsPeer(Stack stack, string directory) => (Stack, Directory) = (stack, directory);

    public Stack Stack { get; }

    public string Directory { get; }

    /// <summary>The peer's feed, such as "@...=.ed25519".</summary>
    public string Id { get; private set; } = "";

    /// <summary>Its multiserver address on loopback.</summary>
    public string Address { get; private set; } = "";

    public ChildProcess Process => process;

    public static async Task<JsPeer> StartAsync(Stack stack, string directory, string networkKey, bool ebt = true, int hops = 2)
    {
        var project = Repository.NodeProject(stack == Stack.Classic ? "classic" : "modern");
        var settings = Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("directory", directory);
            writer.WriteString("networkKey", networkKey);
            writer.WriteNumber("port", LoopbackNamespace.FreePort());
            writer.WriteBoolean("ebt", ebt);
            writer.WriteNumber("hops", hops);
            writer.WriteEndObject();
        });
        var peer = new JsPeer(stack, directory);
        peer.process = ChildProcess.Start("node", [Path.Combine(project, "peer.js"), settings], peer.Hear);
        var hello = await peer.OrDeathAsync(peer.ready.Task);
        peer.Id = hello.GetProperty("id").GetString()!;
        peer.Address = hello.GetProperty("address").GetString()!;
        return peer;
    }

    /// <summary>Dials; answers with the id found there.</summary>
    public async Task<string> ConnectAsync(string address) => (await CallAsync("connect", address)).GetString()!;

    public Task DisconnectAsync(string id) => CallAsync("disconnect", id);

    /// <summary>Ids of the peers connected now.</summary>
    public async Task<string[]> PeersAsync() =>
        [.. (await CallAsync("peers")).EnumerateArray().Select(id => id.GetString()!)];

    public async Task<Published> PublishAsync(string text) => Published.Of(await CallRawAsync("publish", Post(text)));

    public async Task<Published> PublishManyAsync(int count, string name) => Published.Of(await CallAsync("publishMany", count, name));

    /// <summary>Publishes a post that only the recipients can read.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="format">"box" or "box2"; the classic stack knows the first only.</param>
    /// <param name="recipients">Feeds.</param>
    public async Task<Published> PublishPrivateAsync(string text, string format, params string[] recipients)
    {
        var to = Json(writer =>
        {
            writer.WriteStartArray();
            foreach (var recipient in recipients)
                writer.WriteStringValue(recipient);
            writer.WriteEndArray();
        });
        return Published.Of(await CallRawAsync("publishPrivate", Post(text), to, $"\"{format}\""));
    }

    public async Task<Published> FollowAsync(string id) => Published.Of(await CallAsync("follow", id));

    public async Task<Published> BlockAsync(string id) => Published.Of(await CallAsync("block", id));

    public async Task<Published> UnblockAsync(string id) => Published.Of(await CallAsync("unblock", id));

    public Task RedeemAsync(string invite) => CallAsync("redeem", invite);

    public async Task<string> CreateInviteAsync(int uses) => (await CallAsync("createInvite", uses)).GetString()!;

    /// <summary>The latest sequence held of a feed, 0 for none.</summary>
    public async Task<long> SequenceAsync(string feed) =>
        (await CallAsync("clock")).TryGetProperty(feed, out var sequence) ? sequence.GetInt64() : 0;

    /// <summary>Waits until a feed has arrived up to <paramref name="sequence"/>.</summary>
    /// <returns>When its latest message arrived, in milliseconds since 1970.</returns>
    public async Task<long> WaitForAsync(string feed, long sequence, TimeSpan? patience = null) =>
        (await CallAsync("waitFor", feed, sequence, (long)(patience ?? Patience).TotalMilliseconds)).GetProperty("at").GetInt64();

    /// <summary>Key, value (decrypted where this peer can) and the value as it was signed.</summary>
    public Task<JsonElement> ReadAsync(string feed, long sequence) => CallAsync("read", feed, sequence);

    public async Task<string> AddBlobAsync(string name, int size) => (await CallAsync("addBlob", name, size)).GetString()!;

    public async Task<bool> HasBlobAsync(string id) => (await CallAsync("hasBlob", id)).GetBoolean();

    /// <summary>Wants a blob and waits until it has come.</summary>
    public Task WantBlobAsync(string id) => CallAsync("wantBlob", id);

    /// <summary>Reads a blob back; answers with its size and the id that its bytes hash to.</summary>
    public async Task<(long Size, string Id)> ReadBlobAsync(string id)
    {
        var read = await CallAsync("readBlob", id);
        return (read.GetProperty("size").GetInt64(), read.GetProperty("id").GetString()!);
    }

    /// <summary>Calls an async method of a peer it is connected to, with a JSON array of arguments.</summary>
    public Task<JsonElement> CallRemoteAsync(string peer, string method, string arguments) =>
        CallRawAsync("call", Quote(peer), Quote(method), arguments);

    /// <summary>Reads a source of a peer it is connected to, to its end.</summary>
    public Task<JsonElement> CollectRemoteAsync(string peer, string method, string arguments) =>
        CallRawAsync("collect", Quote(peer), Quote(method), arguments);

    public async ValueTask DisposeAsync() => await process.DisposeAsync();

    internal static string Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string Post(string text) => $$"""{"type":"post","text":{{Quote(text)}}}""";

    private static string Quote(string text) => Json(writer => writer.WriteStringValue(text));

    private Task<JsonElement> CallAsync(string operation, params object[] arguments) =>
        CallRawAsync(operation, [.. arguments.Select(argument => argument is string text ? Quote(text) : $"{argument}")]);

    private async Task<JsonElement> CallRawAsync(string operation, params string[] arguments)
    {
        var id = Interlocked.Increment(ref calls);
        var answer = waiting[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await process.WriteLineAsync(
            $$"""{"id":{{id}},"call":"{{operation}}","args":[{{string.Join(',', arguments)}}]}""", TestContext.Current.CancellationToken);
        return await OrDeathAsync(answer.Task);
    }

    private async Task<JsonElement> OrDeathAsync(Task<JsonElement> answer)
    {
        var patience = Task.Delay(Patience * 3, TestContext.Current.CancellationToken);
        var death = process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var first = await Task.WhenAny(answer, death, patience);
        if (first == answer || answer.IsCompleted)
            return await answer;
        throw new JsPeerException(first == death
            ? $"The {Stack} peer died.\n{process.Complaints}"
            : $"The {Stack} peer did not answer.\n{process.Complaints}");
    }

    private void Hear(string line)
    {
        using var document = JsonDocument.Parse(line);
        var said = document.RootElement.Clone();
        if (said.TryGetProperty("event", out _))
            ready.TrySetResult(said);
        else if (waiting.TryRemove(said.GetProperty("id").GetInt64(), out var answer))
        {
            if (said.TryGetProperty("error", out var error))
                answer.TrySetException(new JsPeerException(error.GetString()!));
            else
                answer.TrySetResult(said.GetProperty("result"));
        }
    }
}

/// <summary>A message that a peer published.</summary>
/// <param name="Key">Its id.</param>
/// <param name="Sequence">Its place in the feed.</param>
/// <param name="At">When publishing it was answered, in milliseconds since 1970.</param>
internal sealed record Published(string Key, long Sequence, long At)
{
    public static Published Of(JsonElement answer) =>
        new(answer.GetProperty("key").GetString()!, answer.GetProperty("sequence").GetInt64(), answer.GetProperty("at").GetInt64());
}
