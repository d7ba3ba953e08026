using System.Text.Json;

namespace PiPub.Interop;

/// <summary>ssb-client 4.9 with the box's own key, connected over loopback (peers/classic/owner.js).</summary>
internal sealed class OwnerClient : IAsyncDisposable
{
    private readonly Conversation conversation;

    private OwnerClient(Conversation conversation) => this.conversation = conversation;

    public static async Task<OwnerClient> ConnectAsync(PiPubProcess pub, TestNetwork network) =>
        network.Keep(await ConnectAsync(pub, network.NetworkKey));

    public static async Task<OwnerClient> ConnectAsync(PiPubProcess pub, string networkKey)
    {
        var settings = Conversation.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("directory", pub.Directory);
            writer.WriteString("networkKey", networkKey);
            writer.WriteString("remote", pub.Address);
            writer.WriteEndObject();
        });
        return new OwnerClient(await Conversation.StartAsync("classic/owner.js", settings));
    }

    /// <summary>An async call; the arguments are a JSON array.</summary>
    public Task<JsonElement> CallAsync(string method, string arguments = "[]") =>
        conversation.CallAsync("call", Conversation.Quote(method), arguments);

    /// <summary>Reads a source to its end.</summary>
    public async Task<List<JsonElement>> CollectAsync(string method, string arguments = "[]") =>
        [.. (await conversation.CallAsync("collect", Conversation.Quote(method), arguments)).EnumerateArray()];

    /// <summary>Begins to read <paramref name="count"/> items of a source that may not have come yet.</summary>
    public Task BeginAsync(string name, string method, string arguments, int count) =>
        conversation.CallAsync("begin", Conversation.Quote(name), Conversation.Quote(method), arguments, $"{count}");

    /// <summary>Waits for the items of a source that was begun.</summary>
    public async Task<List<JsonElement>> TakenAsync(string name) =>
        [.. (await conversation.CallAsync("taken", Conversation.Quote(name))).EnumerateArray()];

    public async Task<string> AddBlobAsync(string text) =>
        (await conversation.CallAsync("addBlob", Conversation.Quote(text))).GetString()!;

    public async Task<string> ReadBlobAsync(string id) =>
        (await conversation.CallAsync("readBlob", Conversation.Quote(id))).GetString()!;

    /// <summary>Connects anew to a PiPub that was away.</summary>
    public Task ReconnectAsync() => conversation.CallAsync("connect");

    /// <summary>Publishes one message after the other until PiPub is gone.</summary>
    public Task PublishOnAsync() => conversation.CallAsync("publishOn");

    /// <summary>The sequence of the last message whose publishing was answered.</summary>
    public async Task<long> AnsweredAsync() => (await conversation.CallAsync("answered")).GetInt64();

    public ValueTask DisposeAsync() => conversation.DisposeAsync();
}
