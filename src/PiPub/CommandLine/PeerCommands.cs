using System.CommandLine;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub peers</c> and <c>pipub connect</c>.</summary>
internal static class PeerCommands
{
    public static Command Peers()
    {
        var command = new Command("peers", "List the peers that the box knows: who is connected, and what went wrong last with the others.");
        command.SetAction(NodeCall.Action(async call => call.Print(await call.AskAsync("gossip.peers"), ForPeople)));
        return command;
    }

    public static Command Connect()
    {
        var address = new Argument<string>("address") { Description = "Such as net:example.org:8008~shs:(base64 key), or example.org:8008:@(key).ed25519" };
        var command = new Command("connect", "Connect to a peer now, and remember it.") { address };
        command.SetAction(NodeCall.Action(async call =>
            call.Print(await call.AskAsync("conn.connect", call.Parsed.GetRequiredValue(address)), _ => "Connected.")));
        return command;
    }

    private static string ForPeople(JsonElement peers)
    {
        var table = new TextTable("state", "id", "address", "last error");
        foreach (var peer in peers.EnumerateArray())
        {
            table.Add(Text(peer, "state"), Text(peer, "key"), Text(peer, "address"), Text(peer, "error"));
        }

        return table.Count == 0 ? "No peers are known yet. `pipub connect ADDRESS` adds one." : table.ToString();
    }

    private static string Text(JsonElement peer, string name) =>
        peer.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : "-";
}
