using PiPub.Scuttlebutt.Identities;

namespace PiPub.Scuttlebutt.Feeds.Classic;

/// <summary>What checking one message of a batch gave: the message, or the reason why it is none.</summary>
public readonly record struct ClassicVerdict(Message? Message, string? Reason);

/// <summary>Checking many messages on all cores.</summary>
public static partial class ClassicFeed
{
    // One signature costs some 20 to 300 microseconds: a few of them outweigh the handing over to another core.
    private const int Stride = 8;

    /// <summary>
    /// Checks each of <paramref name="wires"/> as <see cref="TryVerify"/> does, on all cores, and returns when all are done.
    /// Small batches stay on the calling thread.
    /// </summary>
    /// <param name="wires">The bare values.</param>
    /// <param name="hmacKey">The network's message HMAC key, if it has one.</param>
    /// <param name="verdicts">Receives one verdict for each value, in the same order; at least as long.</param>
    /// <exception cref="ArgumentException">There are fewer places than values.</exception>
    public static void VerifyBatch(ReadOnlyMemory<ReadOnlyMemory<byte>> wires, HmacKey? hmacKey, Memory<ClassicVerdict> verdicts)
    {
        if (verdicts.Length < wires.Length)
        {
            throw new ArgumentException("There must be a place for each verdict.", nameof(verdicts));
        }

        var strides = (wires.Length + Stride - 1) / Stride;
        var workers = Math.Min(Environment.ProcessorCount, strides);
        if (workers <= 1)
        {
            VerifyRange(wires.Span, hmacKey, verdicts.Span);
            return;
        }

        // Workers take the next stride when they are done with one: a core that is busy elsewhere takes fewer.
        var next = -1;
        Parallel.For(0, workers, _ =>
        {
            int stride;
            while ((stride = Interlocked.Increment(ref next)) < strides)
            {
                var start = stride * Stride;
                var length = Math.Min(Stride, wires.Length - start);
                VerifyRange(wires.Span.Slice(start, length), hmacKey, verdicts.Span.Slice(start, length));
            }
        });
    }

    private static void VerifyRange(ReadOnlySpan<ReadOnlyMemory<byte>> wires, in HmacKey? hmacKey, Span<ClassicVerdict> verdicts)
    {
        for (var i = 0; i < wires.Length; i++)
        {
            _ = TryVerify(wires[i], hmacKey, out var message, out var reason);
            verdicts[i] = new ClassicVerdict(message, reason);
        }
    }
}
