namespace PiPub.Node.Reachability.Mapping;

/// <summary>When routers are asked.</summary>
internal sealed record MappingPace
{
    /// <summary>What a mapping is asked for; renewed at half of what was granted.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Not sooner again than this, whatever a router grants or says of itself.</summary>
    public TimeSpan Shortest { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Not later again than this: a longer lease would let a new outer address go unnoticed.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The first pause when nothing was granted; each next one is twice as long.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The longest pause: a router that is switched on later shall be used.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long mappings are taken back when the box stops, or an address was given up.</summary>
    public TimeSpan Farewell { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The pause after so many failures in a row.</summary>
    public TimeSpan PauseAfter(int failures)
    {
        var pause = FirstPause * Math.Pow(2, Math.Clamp(failures - 1, 0, 16));
        return pause < LongestPause ? pause : LongestPause;
    }
}
