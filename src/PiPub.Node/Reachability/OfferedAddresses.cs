using PiPub.Node.Invites;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Reachability;

/// <summary>Chooses which of the box's addresses go into invites and into the answer to <c>getAddress</c>.</summary>
public static class OfferedAddresses
{
    /// <summary>
    /// The owner's word first, proven or not; then public addresses that are proven, IPv4 first; then those of the home network.
    /// Public ones that nobody has tried are only given where there is neither of these, as on a rented server on its first
    /// day. Link-local addresses and loopback are last, for whoever has nothing better.
    /// </summary>
    /// <param name="addresses">All that there are, by origin and rank, and what is known of each.</param>
    public static IReadOnlyList<InviteAddress> Choose(IReadOnlyList<(AddressCandidate Candidate, ProofState Proof)> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var offered = new List<InviteAddress>();

        // The owner named a host, not a port: WebSocket there is only offered until it is known not to work.
        Add(static (c, p) => c.Origin == AddressOrigin.Configured && !(c.Address.Transport == InviteTransport.Ws && p.HasFailed));
        Add(static (c, p) => IsPublic(c) && p.IsProven && !c.IsIPv6);
        Add(static (c, p) => IsPublic(c) && p.IsProven);
        Add(static (c, _) => IsHome(c) && c.Rank < AddressCandidates.RankWithoutRouter);
        if (offered.Count == 0)
        {
            Add(static (c, p) => IsPublic(c) && c.Origin == AddressOrigin.Interface && !p.HasFailed);
        }

        Add(static (c, _) => IsHome(c));
        if (offered.Count == 0)
        {
            Add(static (c, _) => c.Origin == AddressOrigin.Interface && c.Scope == AddressScope.Local);
        }

        Add(static (c, _) => c.Scope == AddressScope.Device);
        return offered;

        void Add(Func<AddressCandidate, ProofState, bool> isWanted)
        {
            foreach (var (candidate, proof) in addresses)
            {
                if (isWanted(candidate, proof) && !offered.Contains(candidate.Address))
                {
                    offered.Add(candidate.Address);
                }
            }
        }
    }

    private static bool IsPublic(AddressCandidate candidate) => candidate.Scope == AddressScope.Public;

    private static bool IsHome(AddressCandidate candidate) =>
        candidate is { Origin: AddressOrigin.Interface, Scope: AddressScope.Local, Ip: { } ip } && !AddressCandidates.IsLinkLocal(ip);
}
