using System.Text;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Scuttlebutt.Tests.MuxRpc;

/// <summary>Counts the whole process's allocations, so nothing may run beside it.</summary>
[Collection(nameof(Alone))]
public class MuxRpcAllocationTests
{
    private static readonly ReadOnlyMemory<byte> NoArgs = "[]"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fifty_thousand_messages_cross_with_one_array_each()
    {
        var message = Encoding.UTF8.GetBytes("{\"text\":\"" + new string('x', 580) + "\"}");
        var methods = new RpcMethods();
        methods.Source("messages", RpcCallers.Peer, async (_, stream, stop) =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                var written = stream.WriteAsync(BodyType.Json, message, stop);
                if (!written.IsCompletedSuccessfully)
                {
                    await written;
                }
            }
        });
        await using var pair = new SessionPair(theirs: methods);
        var before = GC.GetTotalAllocatedBytes();
        var stream = pair.Us.Open("messages", CallType.Source, NoArgs);
        var count = 0;
        while (await stream.ReadAsync(Stop) is not null)
        {
            count++;
            while (stream.TryRead(out _))
            {
                count++;
            }
        }

        Assert.Equal(50_000, count);
        var perMessage = (GC.GetTotalAllocatedBytes() - before) / 50_000.0;
        Assert.InRange(perMessage, message.Length, message.Length * 1.5);
    }
}
