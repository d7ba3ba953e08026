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

/// <summary>
/// A real JavaScript peer in a process of its own, and what a test asks of it (peers/driver/operations.js).
/// </summary>
internal sealed class JsPeer : IAsyncDisposable
{
    /// <summary>Generous: a slow machine must not fail a test, only a lost message may.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Conversation conversation;

    private JsPeer(Stack stack, string directory, Conversation conversation)
    {
        (Stack, Directory, this.conversation) = (stack, directory, conversation);
        Id = conversation.Ready.GetProperty("id").GetString()!;
        Address = conversation.Ready.GetProperty("address").GetString()!;
    }

    public Stack Stack { get; }

    public string Directory { get; }

    /// <summary>The peer's feed, such as "@...=.ed25519".</summary>
    public string Id { get; }

    /// <summary>Its multiserver address: on loopback, or the one that it tells its neighbours.</summary>
    public string Address { get; }

    public int ProcessId => conversation.ProcessId;

    public static Task<JsPeer> StartAsync(Stack stack, string directory, string networkKey, bool ebt = true, int hops = 2) =>
        StartAsync(stack, directory, networkKey, ebt, hops, TestPort.Next(), within: null);

    /// <summary>
    /// Starts a peer by a command that puts it into another network, at its address there and on the usual port. With
    /// <paramref name="lan"/> the modern stack looks for others there by ssb-lan and is connected by ssb-conn with those it follows.
    /// </summary>
    public static Task<JsPeer> StartInAsync(IReadOnlyList<string> within, Stack stack, string directory, string networkKey, bool lan) =>
        StartAsync(stack, directory, networkKey, ebt: true, hops: 2, port: 8008, within, lan);

    private static async Task<JsPeer> StartAsync(Stack stack, string directory, string networkKey, bool ebt, int hops, int port, IReadOnlyList<string>? within, bool lan = false)
    {
        var settings = Conversation.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("directory", directory);
            writer.WriteString("networkKey", networkKey);
            writer.WriteNumber("port", port);
            writer.WriteBoolean("ebt", ebt);
            writer.WriteNumber("hops", hops);
            writer.WriteBoolean("elsewhere", within is not null);
            writer.WriteBoolean("lan", lan);
            writer.WriteEndObject();
        });
        var script = stack == Stack.Classic ? "classic/peer.js" : "modern/peer.js";
        return new JsPeer(stack, directory, await Conversation.StartAsync(script, settings, within));
    }

    /// <summary>Dials; answers with the id found there.</summary>
    public async Task<string> ConnectAsync(string address) => (await CallAsync("connect", address)).GetString()!;

    public Task DisconnectAsync(string id) => CallAsync("disconnect", id);

    /// <summary>Ids of the peers connected now.</summary>
    public async Task<string[]> PeersAsync() =>
        [.. (await CallAsync("peers")).EnumerateArray().Select(id => id.GetString()!)];

    public async Task<Published> PublishAsync(string text) => Published.Of(await CallRawAsync("publish", Post(text)));

    /// <summary>Publishes any content, given as JSON.</summary>
    public async Task<Published> PublishContentAsync(string json) => Published.Of(await CallRawAsync("publish", json));

    public async Task<Published> PublishManyAsync(int count, string name) => Published.Of(await CallAsync("publishMany", count, name));

    /// <summary>Fills the log with posts by made-up authors in turn; answers with their ids. Modern stack only.</summary>
    public async Task<string[]> PublishAsAsync(int feeds, int count, string name)
    {
        const int atOnce = 10_000;
        string[] authors = [];
        for (var i = 0; i < count; i += atOnce)
            authors = [.. (await CallAsync("publishAs", feeds, i, Math.Min(i + atOnce, count), name)).EnumerateArray().Select(id => id.GetString()!)];
        return authors;
    }

    /// <summary>Publishes a post that only the recipients can read.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="format">"box" or "box2"; the classic stack knows the first only.</param>
    /// <param name="recipients">Feeds.</param>
    public async Task<Published> PublishPrivateAsync(string text, string format, params string[] recipients)
    {
        var to = Conversation.Json(writer =>
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

    /// <summary>Waits until so many messages are held in all; answers when the last of them arrived, in milliseconds since 1970.</summary>
    public async Task<long> WaitForTotalAsync(int count, TimeSpan patience) =>
        (await CallAsync("waitForTotal", count, (long)patience.TotalMilliseconds)).GetInt64();

    /// <summary>Up to where a connected peer has said that it holds this peer's own feed.</summary>
    public async Task<long> AcknowledgedAsync(string peer) => (await CallAsync("acknowledged", peer)).GetInt64();

    /// <summary>Key, value (decrypted where this peer can) and the value as it was signed.</summary>
    public Task<JsonElement> ReadAsync(string feed, long sequence) => CallAsync("read", feed, sequence);

    /// <summary>Every message that is held, as its id, author and sequence.</summary>
    public async Task<(string Key, string Author, long Sequence)[]> HeldAsync() =>
        [.. (await CallAsync("held")).EnumerateArray().Select(static one =>
            (one.GetProperty("key").GetString()!, one.GetProperty("author").GetString()!, one.GetProperty("sequence").GetInt64()))];

    /// <summary>Copies the log into a file of flumelog-offset with positions of 32, 48 or 53 bits. Classic stack only.</summary>
    public Task CopyLogAsync(string path, int bits) => CallAsync("copyLog", path, bits);

    /// <summary>Deletes a message from the log.</summary>
    public Task EraseAsync(string key) => CallAsync("erase", key);

    /// <summary>Writes everything to its files, and ends.</summary>
    public async Task SwitchOffAsync()
    {
        await CallAsync("settle");
        await DisposeAsync();
    }

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

    /// <summary>The web address with which a browser is signed in to a server that it is connected to.</summary>
    public async Task<string> SignInUrlAsync(string server) => (await CallAsync("signInUrl", server)).GetString()!;

    /// <summary>Signs in the browser whose page shows this SSB URI.</summary>
    public Task<JsonElement> SignInBrowserAsync(string uri) => CallAsync("signInBrowser", uri);

    /// <summary>Ends all that it has signed in to a server that it is connected to.</summary>
    public Task<JsonElement> SignOutBrowsersAsync(string server) => CallAsync("signOutBrowsers", server);

    /// <summary>Calls an async method of a peer it is connected to, with a JSON array of arguments.</summary>
    public Task<JsonElement> CallRemoteAsync(string peer, string method, string arguments) =>
        CallRawAsync("call", Conversation.Quote(peer), Conversation.Quote(method), arguments);

    /// <summary>Reads a source of a peer it is connected to, to its end.</summary>
    public Task<JsonElement> CollectRemoteAsync(string peer, string method, string arguments) =>
        CallRawAsync("collect", Conversation.Quote(peer), Conversation.Quote(method), arguments);

    public ValueTask DisposeAsync() => conversation.DisposeAsync();

    private static string Post(string text) => $$"""{"type":"post","text":{{Conversation.Quote(text)}}}""";

    private Task<JsonElement> CallAsync(string operation, params object[] arguments) =>
        CallRawAsync(operation, [.. arguments.Select(argument => argument is string text ? Conversation.Quote(text) : $"{argument}")]);

    private Task<JsonElement> CallRawAsync(string operation, params string[] arguments) => conversation.CallAsync(operation, arguments);
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
