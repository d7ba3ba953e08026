using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Tests.Peers;

public class LocalSocketTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_owners_tools_speak_over_a_socket_that_only_the_same_user_can_open()
    {
        await using var node = await new TestNode().ListenAsync();
        var path = Path.Combine(node.DataDirectory, "socket");
        await File.WriteAllTextAsync(path, "left over", Stop);
        await using (var local = LocalSocket.Listen(node.Server, node.DataDirectory, NullLoggerFactory.Instance))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            await using var tool = await LocalSocket.ConnectAsync(node.DataDirectory, Stop);
            await using var another = await LocalSocket.ConnectAsync(node.DataDirectory, Stop);
            Assert.Equal(node.Id.ToString(), (await tool.CallAsync("whoami", NoArgs, Stop)).ToJson().GetProperty("id").GetString());
            Assert.Equal(0, (await another.CallAsync("gossip.peers", NoArgs, Stop)).ToJson().GetArrayLength());
            Assert.Empty(node.Table.Snapshot());
        }

        Assert.False(File.Exists(path));
        await Assert.ThrowsAsync<SocketException>(() => LocalSocket.ConnectAsync(node.DataDirectory, Stop));
    }

    [Fact]
    public async Task Another_user_who_gets_at_the_socket_is_not_answered()
    {
        Assert.SkipUnless(Environment.UserName == "root", "Skipped: only root can become another user.");
        await using var node = await new TestNode().ListenAsync();
        await using var local = LocalSocket.Listen(node.Server, node.DataDirectory, NullLoggerFactory.Instance);
        for (var directory = new DirectoryInfo(node.DataDirectory); directory is not null && directory.FullName != Path.GetTempPath().TrimEnd('/'); directory = directory.Parent)
        {
            File.SetUnixFileMode(directory.FullName, (UnixFileMode)0b111_101_101);
        }

        File.SetUnixFileMode(local.Path, (UnixFileMode)0b110_110_110);
        Assert.Equal("an answer", await AskAsync(local.Path));
        Assert.Equal("the end", await AskAsync(local.Path, "setpriv", "--reuid=65534", "--clear-groups"));
    }

    [Fact]
    public async Task A_path_too_long_for_a_socket_is_said_so()
    {
        await using var node = new TestNode();
        var e = Assert.Throws<IOException>(() => LocalSocket.Listen(node.Server, "/tmp/" + new string('x', 120), NullLoggerFactory.Instance));
        Assert.Contains("shorter path", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_owner_connects_watches_and_disconnects_peers()
    {
        await using var other = await new TestNode().ListenAsync();
        await using var node = await new TestNode().ListenAsync();
        await using var local = LocalSocket.Listen(node.Server, node.DataDirectory, NullLoggerFactory.Instance);
        await using var tool = await LocalSocket.ConnectAsync(node.DataDirectory, Stop);
        var watching = tool.Open("conn.peers", CallType.Source, NoArgs);
        Assert.Equal(0, (await watching.ReadAsync(Stop))!.Value.ToJson().GetArrayLength());

        var address = Encoding.UTF8.GetBytes($"[\"{other.Address}\"]");
        Assert.True((await tool.CallAsync("conn.connect", address, Stop)).ToJson().GetBoolean());
        while (true)
        {
            var entries = (await watching.ReadAsync(Stop))!.Value.ToJson();
            if (entries.GetArrayLength() == 1 && entries[0][1].GetProperty("state").GetString() == "connected")
            {
                Assert.Equal(other.Address.ToString(), entries[0][0].GetString());
                Assert.Equal(other.Id.ToString(), entries[0][1].GetProperty("key").GetString());
                Assert.Equal("lan", entries[0][1].GetProperty("inferredType").GetString());
                break;
            }
        }

        var peer = (await tool.CallAsync("gossip.peers", NoArgs, Stop)).ToJson()[0];
        Assert.Equal("connected", peer.GetProperty("state").GetString());
        Assert.Equal("manual", peer.GetProperty("source").GetString());
        Assert.Equal("127.0.0.1", peer.GetProperty("host").GetString());
        Assert.Equal(other.Port, peer.GetProperty("port").GetInt32());
        Assert.Equal(other.Address.ToString(), (await tool.CallAsync("conn.dbPeers", NoArgs, Stop)).ToJson()[0][0].GetString());

        Assert.True((await tool.CallAsync("conn.disconnect", address, Stop)).ToJson().GetBoolean());
        Assert.False((await tool.CallAsync("conn.disconnect", address, Stop)).ToJson().GetBoolean());
        peer = (await tool.CallAsync("gossip.peers", NoArgs, Stop)).ToJson()[0];
        Assert.False(peer.TryGetProperty("state", out _));

        var byId = Encoding.UTF8.GetBytes($"[\"{other.Id}\"]");
        Assert.True((await tool.CallAsync("gossip.connect", byId, Stop)).ToJson().GetBoolean());
        var legacy = Encoding.UTF8.GetBytes($"[{{\"host\":\"127.0.0.1\",\"port\":{other.Port},\"key\":\"{other.Id}\"}}]");
        Assert.True((await tool.CallAsync("gossip.disconnect", legacy, Stop)).ToJson().GetBoolean());
        Assert.True((await tool.CallAsync("conn.forget", address, Stop)).ToJson().GetBoolean());

        var stranger = KeyPair.Generate().Id;
        var e = await Assert.ThrowsAsync<RpcException>(() => tool.CallAsync("gossip.connect", Encoding.UTF8.GetBytes($"[\"{stranger}\"]"), Stop));
        Assert.Equal($"no known address for peer:{stranger}", e.Message);
        e = await Assert.ThrowsAsync<RpcException>(() => tool.CallAsync("conn.connect", "[\"nonsense\"]"u8.ToArray(), Stop));
        Assert.Contains("not a valid multiserver-address", e.Message, StringComparison.Ordinal);
        watching.Complete();
    }

    /// <summary>Asks who the box is in a process of its own, which may be another user's.</summary>
    private static async Task<string> AskAsync(string path, params string[] within)
    {
        // The answer would come as soon as the request, {"name":["whoami"],"args":[],"type":"async"}, is there: muxrpc's header is nine bytes.
        const string program = """
            use Socket;
            socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
            connect($s, pack_sockaddr_un($ARGV[0])) or die "cannot connect: $!";
            my $body = '{"name":["whoami"],"args":[],"type":"async"}';
            $SIG{PIPE} = 'IGNORE';
            syswrite($s, pack('CNN', 2, length $body, 1) . $body);
            print sysread($s, my $answer, 9) ? 'an answer' : 'the end';
            """;
        string[] command = [.. within, "perl", "-e", program, path];
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var said = await process.StandardOutput.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        return said;
    }
}
