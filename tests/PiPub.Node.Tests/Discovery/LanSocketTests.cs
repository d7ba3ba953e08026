using System.Net;
using System.Net.Sockets;
using PiPub.Node.Discovery;
using PiPub.Scuttlebutt.Lan;

namespace PiPub.Node.Tests.Discovery;

public class LanSocketTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_packet_comes_with_its_sender_and_its_interface(string loopback)
    {
        var ip = IPAddress.Parse(loopback);
        using var socket = Open(ip.AddressFamily, 0);
        using var sender = new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        var to = new IPEndPoint(ip, socket.Port);
        sender.SendTo("hello"u8, SocketFlags.None, to);
        Assert.Equal(1u, LanSocket.Wait([socket], Limit));
        Assert.True(socket.TryReceive(out var packet, out var source));
        Assert.Equal("hello"u8, packet);
        Assert.Equal(TestLan.From(loopback, network: 1), source);
        Assert.False(socket.TryReceive(out _, out _));

        sender.SendTo([], SocketFlags.None, to);
        sender.SendTo(new byte[LanAnnouncement.MaxPacketLength], SocketFlags.None, to);
        sender.SendTo(new byte[LanAnnouncement.MaxPacketLength + 1], SocketFlags.None, to);
        sender.SendTo(new byte[60_000], SocketFlags.None, to);
        foreach (var length in (int[])[0, LanAnnouncement.MaxPacketLength, LanAnnouncement.MaxPacketLength + 1, LanAnnouncement.MaxPacketLength + 1])
        {
            Assert.Equal(1u, LanSocket.Wait([socket], Limit));
            Assert.True(socket.TryReceive(out packet, out _));
            Assert.Equal(length, packet.Length);
        }
    }

    [Fact]
    public void Receiving_takes_no_memory()
    {
        using var socket = Open(AddressFamily.InterNetwork, 0);
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var to = new IPEndPoint(IPAddress.Loopback, socket.Port);
        var (allocated, received) = (0L, 0);
        for (var round = 0; round < 20; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                sender.SendTo("hello"u8, SocketFlags.None, to);
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            while (received < (round + 1) * 10 && LanSocket.Wait(new ReadOnlySpan<LanSocket>(in socket), Limit) != 0)
            {
                received += socket.TryReceive(out _, out _) ? 1 : 0;
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal((0, 200), (allocated, received));
    }

    [Fact]
    public void Another_program_may_have_the_port_too_but_not_for_itself()
    {
        using var socket = Open(AddressFamily.InterNetwork, 0);
        using var second = Open(AddressFamily.InterNetwork, socket.Port);

        using var jealous = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        jealous.Bind(new IPEndPoint(IPAddress.Any, 0));
        using var third = LanSocket.Open(AddressFamily.InterNetwork, LanMeans.Plain, ((IPEndPoint)jealous.LocalEndPoint!).Port, out var error);
        Assert.Equal(SocketError.AddressAlreadyInUse, error?.SocketErrorCode);
        Assert.NotNull(third);
        Assert.False(third.IsListening);

        // It still sends.
        third.Send("hello"u8, 1, new IPEndPoint(IPAddress.Loopback, second.Port).Serialize());
        Assert.NotEqual(0u, LanSocket.Wait([socket, second], Limit));
    }

    [Fact]
    public async Task Waiting_can_be_ended()
    {
        using var socket = Open(AddressFamily.InterNetwork, 0);
        using var other = Open(AddressFamily.InterNetworkV6, 0);
        var waiting = Task.Factory.StartNew(() => LanSocket.Wait([other, socket], TimeSpan.FromMinutes(5)), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        socket.Wake();
        Assert.Equal(2u, await waiting.WaitAsync(Limit, TestContext.Current.CancellationToken));
    }

    private static LanSocket Open(AddressFamily family, int port)
    {
        var socket = LanSocket.Open(family, LanMeans.Plain, port, out var error);
        Assert.Null(error);
        Assert.True(socket!.IsListening);
        return socket;
    }
}
