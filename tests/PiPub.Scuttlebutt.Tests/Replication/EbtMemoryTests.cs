using System.Buffers;
using PiPub.Scuttlebutt.Replication;

namespace PiPub.Scuttlebutt.Tests.Replication;

[Collection(nameof(Alone))]
public class EbtMemoryTests
{
    [Fact]
    public void Two_hundred_sessions_of_ten_thousand_feeds_stay_small()
    {
        var tree = new EbtTree((_, _) => false);
        for (var i = 0; i < 10_000; i++)
        {
            tree.Want(EbtNetwork.Id(i), i, 0);
        }

        var before = GC.GetTotalMemory(true);
        var output = new ArrayBufferWriter<byte>();
        for (var peer = 0; peer < 20; peer++)
        {
            var session = tree.Open(EbtNetwork.Id(20_000 + peer), false, new EbtMemory(), () => { }, 0);
            while (session.TakeNotes(output, 1000))
            {
                output.ResetWrittenCount();
            }
        }

        var perSession = (GC.GetTotalMemory(true) - before) / 20;
        Assert.InRange(perSession, 0, 300_000);
        GC.KeepAlive(tree);
    }
}
