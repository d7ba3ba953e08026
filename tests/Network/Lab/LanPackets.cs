using System.Text.Json;
using PiPub.Interop;

namespace PiPub.NetworkTests.Lab;

/// <summary>A packet that was heard, and what ssb-lan's own code made of it.</summary>
/// <param name="Port">The port it was sent to: 8008 plain, 26830 encrypted.</param>
/// <param name="From">The sender's IP address.</param>
/// <param name="Hex">Its bytes.</param>
/// <param name="Address">The address announced, as ssb-lan read it; null when it read nothing.</param>
/// <param name="IsVerified">Whether ssb-lan found the signature to be right.</param>
internal sealed record HeardPacket(int Port, string From, string Hex, string? Address, bool IsVerified);

/// <summary>
/// A program on a host of the lab that hears the discovery packets of its network and sends others; what is read and
/// written is so by ssb-lan's own code (peers/modern/packets.js).
/// </summary>
internal sealed class LanPackets : IAsyncDisposable
{
    public const int Plain = 8008;
    public const int Encrypted = 26830;

    private readonly Conversation _conversation;

    private LanPackets(Conversation conversation) => _conversation = conversation;

    /// <summary>Begins to hear.</summary>
    public static async Task<LanPackets> StartAsync(LabHost host)
    {
        var settings = Conversation.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("networkKey", host.Lab.NetworkKey);
            writer.WriteEndObject();
        });
        return host.Lab.Keep(new LanPackets(await Conversation.StartAsync("modern/packets.js", settings, host.Within)));
    }

    /// <summary>Everything heard so far, in its order; its own packets, too.</summary>
    public async Task<HeardPacket[]> HeardAsync() =>
        [.. (await _conversation.CallAsync("heard")).EnumerateArray().Select(static packet => new HeardPacket(
            packet.GetProperty("port").GetInt32(),
            packet.GetProperty("from").GetString()!,
            packet.GetProperty("hex").GetString()!,
            packet.TryGetProperty("address", out var address) ? address.GetString() : null,
            packet.TryGetProperty("verified", out var verified) && verified.ValueKind == JsonValueKind.True))];

    /// <summary>The id of the made-up peer of a name.</summary>
    public async Task<string> IdOfAsync(string name) => (await _conversation.CallAsync("idOf", Conversation.Quote(name))).GetString()!;

    /// <summary>Announces an address once a second, signed by the made-up peer of a name.</summary>
    /// <param name="name">Any name.</param>
    /// <param name="port"><see cref="Plain"/> or <see cref="Encrypted"/>.</param>
    /// <param name="address">A multiserver address; KEY in it stands for the made-up peer's.</param>
    /// <param name="to">The destination.</param>
    public Task AnnounceAsync(string name, int port, string address, string to) =>
        _conversation.CallAsync("announce", Conversation.Quote(name), $"{port}", Conversation.Quote(address), Conversation.Quote(to));

    /// <summary>Announces it no longer.</summary>
    public Task HushAsync(string name, int port) => _conversation.CallAsync("hush", Conversation.Quote(name), $"{port}");

    public Task SendAsync(string hex, int port, string to) => _conversation.CallAsync("send", Conversation.Quote(hex), $"{port}", Conversation.Quote(to));

    /// <summary>The packet, as hexadecimal, that ssb-lan writes to announce an address by the keys of a secret file.</summary>
    public async Task<string> WriteAsync(int port, string address, string secretFile) =>
        (await _conversation.CallAsync("write", $"{port}", Conversation.Quote(address), Conversation.Quote(secretFile))).GetString()!;

    /// <summary>Sends packets as fast as asked for some seconds: noise, announcements, wrong signatures by turns. Answers with how many.</summary>
    public async Task<int> FloodAsync(int perSecond, int seconds, int port, string to) =>
        (await _conversation.CallAsync("flood", $"{perSecond}", $"{seconds}", $"{port}", Conversation.Quote(to))).GetInt32();

    public ValueTask DisposeAsync() => _conversation.DisposeAsync();
}
