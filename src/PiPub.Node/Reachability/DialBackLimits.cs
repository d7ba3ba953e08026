namespace PiPub.Node.Reachability;

/// <summary>
/// How far the box lets itself be sent to other addresses by its peers. Enough for a peer that moves between networks, and far
/// too little to search machines or ports by, or to burden anybody.
/// </summary>
public sealed record DialBackLimits
{
    /// <summary>Addresses in one question.</summary>
    public int MaxAddresses { get; init; } = 4;

    /// <summary>Questions that one peer may ask in a row.</summary>
    public int PerPeer { get; init; } = 10;

    /// <summary>After how long a peer may ask one more.</summary>
    public TimeSpan PeerRefill { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Questions that all peers together may ask in a row.</summary>
    public int InAll { get; init; } = 60;

    /// <summary>After how long they may ask one more.</summary>
    public TimeSpan AllRefill { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long reaching an address and the handshake there may take. Whatever fails is answered when that time is over, so that the time tells nothing.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>False only where all of the network is on one machine.</summary>
    public bool PublicOnly { get; init; } = true;
}
