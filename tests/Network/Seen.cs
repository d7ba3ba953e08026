using System.Text.Json;
using PiPub.Interop;

namespace PiPub.NetworkTests;

/// <summary>One entry of <c>pipub discover --json</c>.</summary>
internal sealed record Seen(string Id, string Address, IReadOnlyList<string> Addresses, IReadOnlyList<string> Via, bool IsVerified, string Relation, bool IsConnected, string? Interface)
{
    public bool IsBy(string means) => Via.Contains(means);

    /// <summary>Everybody that a box sees on its LAN.</summary>
    public static async Task<Seen[]> AllAsync(PiPubProcess box) =>
        [.. (await box.CommandAsync("discover")).EnumerateArray().Select(static peer => new Seen(
            peer.GetProperty("id").GetString()!,
            peer.GetProperty("address").GetString()!,
            Strings(peer.GetProperty("addresses")),
            Strings(peer.GetProperty("via")),
            peer.GetProperty("verified").GetBoolean(),
            peer.GetProperty("relation").GetString()!,
            peer.GetProperty("connected").GetBoolean(),
            peer.GetProperty("interface").GetString()))];

    /// <summary>A peer as a box sees it; null when it does not.</summary>
    public static async Task<Seen?> ByAsync(PiPubProcess box, string id) => Array.Find(await AllAsync(box), seen => seen.Id == id);

    /// <summary>Waits until a box sees a peer in a certain way.</summary>
    public static Task UntilAsync(PiPubProcess box, string id, Predicate<Seen> how, TimeSpan? patience = null) =>
        Eventually.BecomesTrueAsync(async () => await ByAsync(box, id) is { } seen && how(seen), $"the box sees {id} on its LAN", patience);

    private static string[] Strings(JsonElement array) => [.. array.EnumerateArray().Select(static one => one.GetString()!)];
}
