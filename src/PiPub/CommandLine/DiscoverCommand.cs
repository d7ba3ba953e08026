using System.CommandLine;
using System.Text.Json;

namespace PiPub.CommandLine;

/// <summary><c>pipub discover</c>: who is on the local network.</summary>
internal static class DiscoverCommand
{
    public static Command Create()
    {
        var command = new Command("discover", "List who is on the local network. Friends are connected to by themselves; strangers are only shown.");
        command.SetAction(NodeCall.Action(async call =>
        {
            var peers = await call.AskAsync("discovery.peers");
            if (call.Json || peers.GetArrayLength() > 0)
            {
                call.Print(peers, ForPeople);
            }
            else
            {
                call.Out.WriteLine(WhyNobody(await call.AskAsync("discovery.status")));
            }
        }));
        return command;
    }

    private static string ForPeople(JsonElement peers)
    {
        var table = new TextTable("who", "id", "name", "connected", "seen by", "address");
        foreach (var peer in peers.EnumerateArray())
        {
            var via = string.Join(", ", peer.GetProperty("via").EnumerateArray());
            table.Add(
                peer.GetProperty("relation").GetString()!,
                peer.GetProperty("id").GetString()!,
                peer.GetProperty("name").GetString() ?? "-",
                peer.GetProperty("connected").GetBoolean() ? "yes" : "no",
                peer.GetProperty("verified").GetBoolean() ? $"{via} (signed)" : via,
                peer.GetProperty("address").GetString()!);
        }

        return table.ToString();
    }

    private static string WhyNobody(JsonElement status)
    {
        if (!status.GetProperty("on").GetBoolean())
        {
            return "Nobody is looked for: discovery is switched off. `discovery = on` in the configuration switches it on.";
        }

        var interfaces = status.GetProperty("interfaces");
        if (interfaces.GetArrayLength() == 0)
        {
            return "Nobody is seen: this machine has no network. Is the cable plugged in, or Wi-Fi connected?";
        }

        var others = status.GetProperty("otherNetworkHeard").GetBoolean()
            ? " Somebody does announce themselves, but under another network key: they belong to another Scuttlebutt network than this box."
            : "";
        var names = string.Join(", ", interfaces.EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        return $"Nobody else is seen on {names}.{others} Others are seen while their app is open and in this same network. "
            + "Some routers keep Wi-Fi devices apart (client or AP isolation, guest networks): then plug the box in by cable, or switch that off.";
    }
}
