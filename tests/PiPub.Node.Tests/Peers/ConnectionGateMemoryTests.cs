using System.Net;
using PiPub.Node.Peers;

namespace PiPub.Node.Tests.Peers;

[Collection(nameof(Alone))]
public class ConnectionGateMemoryTests
{
    [Fact]
    public void The_gate_itself_stays_small_and_counts_handshakes()
    {
        var time = new ManualTime();
        var gate = new ConnectionGate(new PeerOptions { MaxHandshakes = 2 }, time);
        Assert.Equal(GateVerdict.Open, gate.Enter(null));
        Assert.Equal(GateVerdict.Open, gate.Enter(null));
        Assert.Equal(GateVerdict.TooManyHandshakes, gate.Enter(null));
        gate.HandshakeEnded();

        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 100_000; i++)
        {
            var address = new IPAddress([10, (byte)(i >> 16), (byte)(i >> 8), (byte)i]);
            Assert.Equal(GateVerdict.Open, gate.Enter(address));
            gate.HandshakeEnded();
            gate.Left(address);
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 3_000_000);
        GC.KeepAlive(gate);
    }
}
