namespace PiPub.Node.Discovery;

/// <summary>Whence a packet came.</summary>
/// <param name="Address">The sender's IPv6 address as a number in network order; IPv4 as ::ffff:a.b.c.d.</param>
/// <param name="Interface">Index of the interface on which it arrived.</param>
internal readonly record struct LanSource(UInt128 Address, int Interface);

/// <summary>What may still be spent; it fills again with time.</summary>
internal struct TokenBucket
{
    private double _spent;
    private long _at;

    /// <summary>Spends one, if there is one.</summary>
    public bool Take(long now, double perTick, double most)
    {
        var spent = Spent(now, perTick);
        if (spent > most - 1)
        {
            return false;
        }

        (_spent, _at) = (spent + 1, now);
        return true;
    }

    /// <summary>How much of the bucket is missing.</summary>
    public readonly double Spent(long now, double perTick) => Math.Max(0, _spent - ((now - _at) * perTick));
}

/// <summary>
/// Limits how many packets each sender gets looked at. A table of fixed size, four places to a row: who has no place takes that
/// of whoever of the four has spent least, so that a flooder stays known as one. Nothing is allocated after the start.
/// </summary>
internal sealed class SourceBuckets
{
    /// <summary>
    /// Packets a second of one sender, for long. ssb-local sends one a second, ssb-lan two in two seconds, this box up to eight
    /// in one burst from each of its source addresses; several programs may share a machine.
    /// </summary>
    public const int PerSecond = 32;

    /// <summary>Packets of one sender at once.</summary>
    public const int AtOnce = 96;

    private const int Rows = 64;
    private const int PlacesInRow = 4;

    private readonly (LanSource Source, TokenBucket Bucket)[] _places = new (LanSource, TokenBucket)[Rows * PlacesInRow];
    private readonly double _perTick;

    public SourceBuckets(TimeProvider time) => _perTick = (double)PerSecond / time.TimestampFrequency;

    /// <summary>False when the sender has had its share.</summary>
    public bool Take(in LanSource source, long now)
    {
        var row = _places.AsSpan((int)((uint)source.GetHashCode() % Rows) * PlacesInRow, PlacesInRow);
        var (place, least) = (0, double.MaxValue);
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i].Source == source)
            {
                return row[i].Bucket.Take(now, _perTick, AtOnce);
            }

            var spent = row[i].Bucket.Spent(now, _perTick);
            if (spent < least)
            {
                (place, least) = (i, spent);
            }
        }

        row[place] = (source, default);
        return row[place].Bucket.Take(now, _perTick, AtOnce);
    }
}
