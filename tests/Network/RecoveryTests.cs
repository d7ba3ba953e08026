using PiPub.Interop;
using PiPub.NetworkTests.Lab;

namespace PiPub.NetworkTests;

/// <summary>Cables are pulled and addresses change; the box finds its neighbours again.</summary>
/// <remarks>15 s are the aim, which the output is compared with; the limit leaves room for a busy machine.</remarks>
public sealed class RecoveryTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_interface_that_was_down_is_used_again()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var host = await lab.AddHostAsync("box", lan, "192.168.7.2/24");
        var (box, neighbour) = await StartFriendsAsync(host, await lab.AddHostAsync("neighbour", lan, "192.168.7.3/24"));

        await host.LinkDownAsync("eth0");
        await Eventually.BecomesTrueAsync(async () => await Seen.ByAsync(box, neighbour.Id) is null, "without a network nobody is seen");
        await host.LinkUpAsync("eth0");

        var up = TimeProvider.System.GetTimestamp();
        await Seen.UntilAsync(box, neighbour.Id, seen => seen.IsConnected, Limit);
        await IsSaidAsync(neighbour, box, Limit - TimeProvider.System.GetElapsedTime(up));
        Report("after the interface was up again", up);
    }

    [Fact]
    public async Task A_new_address_is_announced_and_connected_through()
    {
        await using var lab = await NetworkLab.StartAsync();
        var lan = await lab.AddSwitchAsync("lan");
        var host = await lab.AddHostAsync("box", lan, "192.168.7.2/24");
        var (box, neighbour) = await StartFriendsAsync(host, await lab.AddHostAsync("neighbour", lan, "192.168.7.3/24"));

        await host.RemoveAddressAsync("eth0", "192.168.7.2/24");
        await host.AddAddressAsync("eth0", "192.168.7.77/24");

        var changed = TimeProvider.System.GetTimestamp();
        await Seen.UntilAsync(neighbour, box.Id, seen => seen.Addresses.Any(address => address.StartsWith("net:192.168.7.77:8008", StringComparison.Ordinal)), Limit);
        await Seen.UntilAsync(neighbour, box.Id, seen => seen.IsConnected, Limit);
        await IsSaidAsync(neighbour, box, Limit - TimeProvider.System.GetElapsedTime(changed));
        Report("after the address had changed", changed);
        await Seen.UntilAsync(neighbour, box.Id, seen => !seen.Addresses.Any(address => address.StartsWith("net:192.168.7.2:", StringComparison.Ordinal)), Limit);
    }

    private static async Task<(PiPubProcess Box, PiPubProcess Neighbour)> StartFriendsAsync(LabHost host, LabHost neighbourHost)
    {
        var box = await host.StartBoxAsync();
        var neighbour = await neighbourHost.StartBoxAsync();
        await box.CommandAsync("follow", neighbour.Id);
        await neighbour.CommandAsync("follow", box.Id);
        await IsSaidAsync(neighbour, box, Limit);
        return (box, neighbour);
    }

    /// <summary>A new message of one arrives at the other.</summary>
    private static async Task IsSaidAsync(PiPubProcess from, PiPubProcess to, TimeSpan patience)
    {
        var message = await from.CommandAsync("publish", "--text", "are you there?");
        var sequence = message.GetProperty("value").GetProperty("sequence").GetInt64();
        await Eventually.BecomesTrueAsync(async () => await to.SequenceAsync(from.Id) >= sequence, "the message has arrived", patience);
    }

    private static void Report(string what, long since) =>
        TestContext.Current.TestOutputHelper!.WriteLine($"Connected and replicated {TimeProvider.System.GetElapsedTime(since).TotalSeconds:F1} s {what} (aim: 15 s).");
}
