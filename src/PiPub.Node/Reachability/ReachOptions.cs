using System.Net;

namespace PiPub.Node.Reachability;

/// <summary>What the owner has said of how the box is reached, and how often it is looked whether that is so.</summary>
public sealed record ReachOptions
{
    /// <summary>Names or addresses that the owner gave, best first.</summary>
    public IReadOnlyList<string> PublicHosts { get; init; } = [];

    /// <summary>Addresses listened on for peers; empty stands for all.</summary>
    public IReadOnlyList<IPAddress> SsbBind { get; init; } = [];

    /// <summary>Addresses listened on for HTTP and WebSocket; empty stands for all.</summary>
    public IReadOnlyList<IPAddress> WebBind { get; init; } = [];

    /// <summary>How long a proof is good for.</summary>
    public TimeSpan ProofLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The age at which a proof is renewed. An incoming connection renews it as well as a question does.</summary>
    public TimeSpan RenewAfter { get; init; } = TimeSpan.FromHours(6);

    /// <summary>The pause after an address did not work, or nobody could tell.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The least time between two questions about one address, whatever changes meanwhile.</summary>
    public TimeSpan LeastPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a peer that could not answer is left in peace.</summary>
    public TimeSpan PeerPause { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Changes that come together are looked at together.</summary>
    public TimeSpan Settling { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the answer of a peer is waited for; it takes as long as a dial-back may (<see cref="DialBackLimits.TimeLimit"/>), and more.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
