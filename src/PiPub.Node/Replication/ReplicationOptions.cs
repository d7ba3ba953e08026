using PiPub.Node.SocialGraph;

namespace PiPub.Node.Replication;

/// <summary>What is replicated, and how much of it at a time.</summary>
public sealed record ReplicationOptions
{
    /// <summary>How far along follows feeds are replicated: 0 the box only, 1 its members, 2 the people they follow.</summary>
    public int Hops { get; init; } = FollowGraph.DefaultMaxHops;

    /// <summary>How long a peer that dialled us may take to open EBT before it counts as one that cannot.</summary>
    public TimeSpan EbtPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long after EBT has ended on a connection that stands it is begun anew by the side that dialled; the other waits three times as long.</summary>
    public TimeSpan ResumePause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often what a peer has told is written down while it stays connected.</summary>
    public TimeSpan RememberEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>History streams kept open to one peer without EBT; the feeds beyond are asked for in turn.</summary>
    public int MaxLivePulls { get; init; } = 1024;

    /// <summary>Peers whose clocks are remembered; beyond, the ones not seen for longest are forgotten.</summary>
    public int MaxRememberedPeers { get; init; } = 2000;
}
