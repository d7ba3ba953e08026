using PiPub.Node.Sentences;

namespace PiPub.Node.Reachability;

/// <summary>How it stands with an address of the box.</summary>
/// <param name="Candidate">The address.</param>
/// <param name="Proof">What is known of it by trying.</param>
/// <param name="Problem">Why nobody can come in by it, or why that is not known, in words; null when nothing is wrong.</param>
public sealed record ReportedAddress(AddressCandidate Candidate, ProofState Proof, Sentence? Problem);

/// <summary>Whether the box can be reached from outside, why, and what would help: in words for people who never open a shell.</summary>
/// <param name="IsReachable">Null when it is not known.</param>
/// <param name="Reason">A word for programs, of <see cref="ReachReason"/>.</param>
/// <param name="Summary">One sentence.</param>
/// <param name="Advice">One more on what to do; null when there is nothing.</param>
/// <param name="Addresses">The addresses, best first.</param>
/// <param name="Mappings">What has come of asking the routers.</param>
public sealed record ReachReport(
    bool? IsReachable, string Reason, Sentence Summary, Sentence? Advice, IReadOnlyList<ReportedAddress> Addresses, PortMappingState Mappings)
{
    /// <summary>The report in a line.</summary>
    public string Line => (IsReachable switch
    {
        true => "yes. ",
        false => "no. ",
        _ => "not known yet. ",
    }) + Summary;
}

/// <summary>Words for programs for why the box can or cannot be reached.</summary>
public static class ReachReason
{
    /// <summary>Peers have come in.</summary>
    public const string Proven = "proven";

    /// <summary>Peers have come in, but only by IPv6.</summary>
    public const string IPv6Only = "ipv6-only";

    /// <summary>The owner said how the box is reached; it was not tried, or did not work.</summary>
    public const string Configured = "configured";

    /// <summary>No network, or no router in it.</summary>
    public const string NoGateway = "no-gateway";

    /// <summary>The router did not answer when it was asked to pass connections on.</summary>
    public const string NoMappingProtocol = "no-mapping-protocol";

    /// <summary>The router answered and refused.</summary>
    public const string MappingRefused = "mapping-refused";

    /// <summary>The internet provider has many customers share one address.</summary>
    public const string CarrierNat = "carrier-nat";

    /// <summary>There is a router behind the router.</summary>
    public const string DoubleNat = "double-nat";

    /// <summary>Connections should arrive, and do not.</summary>
    public const string Firewall = "firewall";

    /// <summary>The owner does not want routers to be asked.</summary>
    public const string Off = "off";

    /// <summary>Nobody could be asked to try.</summary>
    public const string Unproven = "unproven";
}
