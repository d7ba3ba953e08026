namespace PiPub.Fuzz;

/// <summary>
/// Which ways through the code the last execution took: a counter for each pair of places that followed each other. Source: AFL,
/// technical_details.txt, Coverage measurements.
/// </summary>
public static class Coverage
{
    /// <summary>Counters. Pairs share them by hash, which only makes the map a little blind.</summary>
    public const int Size = 1 << 16;

    private static readonly byte[] Counters = new byte[Size];
    private static readonly ushort[] Places = new ushort[Size];
    private static int s_touched;
    private static int s_previous;

    /// <summary>The counters.</summary>
    public static ReadOnlySpan<byte> Hits => Counters;

    /// <summary>Where the counters are that are not zero.</summary>
    public static ReadOnlySpan<ushort> Touched => Places.AsSpan(0, s_touched);

    /// <summary>True when the assemblies that are tested were instrumented.</summary>
    public static bool IsOn { get; private set; }

    /// <summary>Called at every place by instrumented code.</summary>
    public static void Hit(int place)
    {
        var at = (place ^ s_previous) & (Size - 1);
        s_previous = place >> 1;
        ref var counter = ref Counters[at];
        if (counter == 0)
        {
            // Several threads at once may lose a place here; it is only a hint.
            var touched = s_touched;
            if (touched < Size)
            {
                Places[touched] = (ushort)at;
                s_touched = touched + 1;
            }

            IsOn = true;
        }

        if (counter != byte.MaxValue)
        {
            counter++;
        }
    }

    /// <summary>Forgets the last execution.</summary>
    public static void Clear()
    {
        foreach (var at in Touched)
        {
            Counters[at] = 0;
        }

        s_touched = 0;
        s_previous = 0;
    }
}
