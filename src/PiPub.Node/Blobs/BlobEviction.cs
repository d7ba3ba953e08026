using PiPub.Storage.State;

namespace PiPub.Node.Blobs;

/// <summary>
/// Chooses what goes when there is no room: first what belongs to the feeds farthest away, and among those of one
/// distance what was not asked for the longest.
/// </summary>
/// <remarks>Only ever in favour of a newcomer at least as near. Memory is bounded by what is evicted, however much is held.</remarks>
public static class BlobEviction
{
    /// <summary>
    /// Picks blobs whose sizes add up to at least <paramref name="bytes"/>, or as many as may go when that is less.
    /// </summary>
    /// <param name="held">What is held, in any order, read once.</param>
    /// <param name="hops">The distance of a held blob's author, or null when it must stay.</param>
    /// <param name="newcomer">The distance of the newcomer's author: what is nearer stays.</param>
    /// <param name="bytes">How much room is needed.</param>
    /// <returns>The blobs to evict, and their size in all.</returns>
    public static (IReadOnlyList<HeldBlob> Victims, long Bytes) Choose(IEnumerable<HeldBlob> held, Func<HeldBlob, int?> hops, int newcomer, long bytes)
    {
        ArgumentNullException.ThrowIfNull(held);
        ArgumentNullException.ThrowIfNull(hops);

        // The most valuable of the victims is on top, and leaves when the others are enough.
        var victims = new PriorityQueue<HeldBlob, (int Hops, long Accessed)>(MostValuableFirst.Instance);
        var sum = 0L;
        foreach (var blob in held)
        {
            if (blob.Size <= 0 || hops(blob) is not { } distance || distance < newcomer)
            {
                continue;
            }

            victims.Enqueue(blob, (distance, blob.Accessed.UtcTicks));
            sum += blob.Size;
            while (victims.TryPeek(out var best, out _) && sum - best.Size >= bytes)
            {
                sum -= victims.Dequeue().Size;
            }
        }

        var chosen = new List<HeldBlob>(victims.Count);
        while (victims.TryDequeue(out var victim, out _))
        {
            chosen.Add(victim);
        }

        return (chosen, sum);
    }

    private sealed class MostValuableFirst : IComparer<(int Hops, long Accessed)>
    {
        public static readonly MostValuableFirst Instance = new();

        public int Compare((int Hops, long Accessed) x, (int Hops, long Accessed) y) =>
            x.Hops != y.Hops ? x.Hops.CompareTo(y.Hops) : y.Accessed.CompareTo(x.Accessed);
    }
}
