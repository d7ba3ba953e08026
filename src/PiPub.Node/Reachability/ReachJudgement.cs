using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PiPub.Node.LocalNetworks;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Invites;

namespace PiPub.Node.Reachability;

/// <summary>All that speaks for or against the box being reachable, at one moment.</summary>
/// <param name="Addresses">Its addresses, best first, and what is known of each by trying.</param>
/// <param name="Mappings">What has come of asking the routers.</param>
/// <param name="Networks">The machine's interfaces.</param>
/// <param name="Observed">The public IPv4 address that peers outside see the box come from; null when none told.</param>
/// <param name="SsbPort">The port listened on for peers.</param>
public sealed record ReachEvidence(
    IReadOnlyList<(AddressCandidate Candidate, ProofState Proof)> Addresses,
    PortMappingState Mappings,
    IReadOnlyList<LocalNetwork> Networks,
    IPAddress? Observed,
    int SsbPort);

/// <summary>Finds from the evidence why the box can or cannot be reached, and says it in words.</summary>
/// <remarks>
/// What counts is, in this order: that somebody came in; what the owner configured; whether there is a router at all; what the
/// router's outer address is (100.64.0.0/10 of RFC 6598 is a carrier's NAT, a private one of RFC 1918 a second router); and
/// what became of asking the router and the peers.
/// </remarks>
public static class ReachJudgement
{
    private static readonly Sentence NobodyOutside = Sentence.Of($"so nobody from outside can reach this box");

    /// <summary>Judges.</summary>
    public static ReachReport Judge(ReachEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(evidence);
        var verdict = new Case(evidence).Judge();
        var reported = new List<ReportedAddress>(evidence.Addresses.Count);
        foreach (var (candidate, proof) in evidence.Addresses.OrderBy(static a => a.Candidate.Origin == AddressOrigin.Configured ? 0 : a.Proof.IsProven && a.Candidate.Scope == AddressScope.Public ? 1 : 2))
        {
            if (candidate.Scope != AddressScope.Device || candidate.Origin == AddressOrigin.Configured)
            {
                reported.Add(new ReportedAddress(candidate, proof, Problem(candidate, proof, evidence)));
            }
        }

        return new ReachReport(verdict.IsReachable, verdict.Reason, verdict.Summary, verdict.Advice, reported, evidence.Mappings);
    }

    /// <summary>Whether an address is one that internet providers give to customers who share a public one. Source: RFC 6598.</summary>
    internal static bool IsCarriers(IPAddress address) => address.GetAddressBytes() is [100, >= 64 and < 128, _, _];

    private static Sentence? Problem(AddressCandidate candidate, ProofState proof, ReachEvidence evidence)
    {
        if (proof.IsProven)
        {
            return null;
        }

        if (candidate.Scope != AddressScope.Public)
        {
            return candidate.Origin switch
            {
                AddressOrigin.Mapping when candidate.Ip is { } ip && IsCarriers(ip) => Sentence.Of($"It is inside your internet provider's network, which nobody outside can connect into (carrier NAT)."),
                AddressOrigin.Mapping => Sentence.Of($"It is a private address: there is another router behind your router."),
                AddressOrigin.Configured => Sentence.Of($"It is an address of the home network or of this machine, which nobody outside can reach."),
                _ => null,
            };
        }

        return proof.HasFailed
            ? proof.Failures > 1 ? Sentence.Of($"{proof.Failures} peers outside tried it and could not connect.") : Sentence.Of($"A peer outside tried it and could not connect.")
            : IsBehindSharedAddress(candidate, evidence) ? Sentence.Of($"Peers outside see this box come from {evidence.Observed} instead: your internet provider has many customers share that address (carrier NAT).")
            : proof.ProvenAt is { } at ? Sentence.Of($"It worked last on {Minute(at)} UTC, and nobody has come in by it since.")
            : Sentence.Of($"No peer outside has tried it yet.");
    }

    private static string Minute(DateTimeOffset at) => at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static bool IsBehindSharedAddress(AddressCandidate candidate, ReachEvidence evidence) =>
        candidate is { Origin: AddressOrigin.Mapping, IsIPv6: false, Ip: { } outer } && evidence.Observed is { } observed && !observed.Equals(outer);

    private sealed record Verdict(bool? IsReachable, string Reason, Sentence Summary, Sentence? Advice = null);

    /// <summary>The evidence with what is asked of it more than once.</summary>
    private sealed class Case(ReachEvidence evidence)
    {
        /// <summary>As it begins a sentence.</summary>
        private readonly Sentence _router = evidence.Mappings.Gateway is { } gateway ? Sentence.Of($"Your router ({gateway})") : Sentence.Of($"Your router");

        /// <summary>The box's address at home, or what stands for it.</summary>
        private object Here
        {
            get
            {
                var first = evidence.Addresses.FirstOrDefault(static a =>
                    a.Candidate is { Origin: AddressOrigin.Interface, Scope: not AddressScope.Device, IsIPv6: false }).Candidate;
                return first is null ? Sentence.Of($"this box") : first.Address.Host;
            }
        }

        public Verdict Judge() => FromProofs() ?? FromConfiguration() ?? FromNetworks() ?? FromMapping() ?? FromOwnAddress() ?? FromAttempts();

        private IEnumerable<(AddressCandidate Candidate, ProofState Proof)> Public(AddressOrigin origin) =>
            evidence.Addresses.Where(a => a.Candidate.Origin == origin && a.Candidate is { Scope: AddressScope.Public, Address.Transport: InviteTransport.Net });

        private Verdict? FromProofs()
        {
            var proven = evidence.Addresses.Where(static a => a.Proof.IsProven && a.Candidate.Scope == AddressScope.Public).ToList();
            if (proven.Count == 0)
            {
                return null;
            }

            var (best, proof) = proven[0];
            if (proven.TrueForAll(static a => a.Candidate.IsIPv6))
            {
                var otherwise = FromNetworks() ?? FromMapping() ?? FromOwnAddress() ?? FromAttempts();
                return new(true, ReachReason.IPv6Only, Sentence.Of($"This box can be reached from outside at {best.Text}, but only by people whose network has IPv6."), otherwise.Advice);
            }

            var misnamed = evidence.Addresses.FirstOrDefault(static a => a.Candidate is { Origin: AddressOrigin.Configured, Address.Transport: InviteTransport.Net } && a.Proof.HasFailed).Candidate;
            return new(
                true,
                ReachReason.Proven,
                proof.Provers > 1
                    ? Sentence.Of($"This box can be reached from outside: {proof.Provers} peers have connected to {best.Text}.")
                    : Sentence.Of($"This box can be reached from outside: a peer has connected to {best.Text}."),
                misnamed is null ? null : Sentence.Of($"Peers could not connect to {misnamed.Text}, which public-host names: see that the name leads to your router, or take it out."));
        }

        private Verdict? FromConfiguration()
        {
            var all = evidence.Addresses.Where(static a => a.Candidate is { Origin: AddressOrigin.Configured, Address.Transport: InviteTransport.Net }).ToList();
            if (all.Count == 0)
            {
                return null;
            }

            if (all.TrueForAll(static a => a.Candidate.Scope != AddressScope.Public))
            {
                return new(
                    false,
                    ReachReason.Configured,
                    Sentence.Of($"The configured public-host {all[0].Candidate.Address.Host} is known in the home network only, {NobodyOutside}."),
                    Sentence.Of($"Set public-host to a name or an address that leads to your router from outside, or take it out."));
            }

            var (candidate, _) = all.Find(static a => a.Candidate.Scope == AddressScope.Public && !a.Proof.HasFailed);
            return candidate is not null
                ? new(null, ReachReason.Configured, Sentence.Of($"You have set that this box is reached at {candidate.Text}; no peer outside has tried that yet."), Sentence.Of($"It is tried as soon as another PiPub outside your home is connected."))
                : new(
                    false,
                    ReachReason.Configured,
                    Sentence.Of($"You have set that this box is reached at {all[0].Candidate.Text}, but peers outside tried and could not connect."),
                    Sentence.Of($"See that the name leads to your router's public address, and have the router pass TCP port {evidence.SsbPort} on to {Here}."));
        }

        private Verdict? FromNetworks()
        {
            if (!evidence.Networks.Any(static network => network.Addresses.Any(static local => !local.Address.IsIPv6LinkLocal)))
            {
                return new(false, ReachReason.NoGateway, Sentence.Of($"This box is not connected to any network."), Sentence.Of($"Plug in the network cable, or connect the box with your Wi-Fi."));
            }

            return evidence.Mappings.Gateway is null && evidence.Networks.All(static network => network.Gateways.Count == 0)
                ? new(false, ReachReason.NoGateway, Sentence.Of($"This box found no router in its network, {NobodyOutside}."), Sentence.Of($"See that the router is switched on, and that it gives the box an address (DHCP)."))
                : null;
        }

        private Verdict? FromMapping()
        {
            if (evidence.Mappings.Mappings.FirstOrDefault(m => m.InternalPort == evidence.SsbPort && m.ExternalAddress is not { AddressFamily: AddressFamily.InterNetworkV6 }) is not { } mapping)
            {
                return null;
            }

            if (mapping.ExternalAddress is { } outer && PeerHost.ScopeOf(outer) != AddressScope.Public)
            {
                return IsCarriers(outer)
                    ? CarrierNat(Sentence.Of($"Your internet provider gives your router an address that many customers share ({outer}, carrier NAT)"))
                    : new(
                        false,
                        ReachReason.DoubleNat,
                        Sentence.Of($"{_router} is behind another router: its outer address {outer} is a private one, {NobodyOutside}."),
                        Sentence.Of($"Switch one of the two routers to bridge mode, or have the outer one pass TCP port {mapping.ExternalPort} on to {outer}."));
            }

            if (mapping.ExternalAddress is { } seen && evidence.Observed is { } observed && !observed.Equals(seen))
            {
                return CarrierNat(Sentence.Of($"Peers outside see this box come from {observed}, while your router's outer address is {seen}: your internet provider has many customers share an address (carrier NAT)"));
            }

            var (candidate, proof) = Public(AddressOrigin.Mapping).FirstOrDefault(static a => !a.Candidate.IsIPv6);
            object at = candidate is null ? Sentence.Of($"port {mapping.ExternalPort}") : candidate.Text;
            return proof is { HasFailed: true }
                ? new(
                    false,
                    ReachReason.Firewall,
                    Sentence.Of($"{_router} passes {at} on to this box, but peers outside tried and could not connect: a firewall seems to be in the way."),
                    Sentence.Of($"Allow incoming connections to TCP port {mapping.ExternalPort} in the firewall of your router, and ask your internet provider whether it blocks them."))
                : NotTried(Sentence.Of($"{_router} passes {at} on to this box"));
        }

        private Verdict? FromOwnAddress()
        {
            var (candidate, proof) = Public(AddressOrigin.Interface).FirstOrDefault(static a => !a.Candidate.IsIPv6);
            return candidate is null ? null
                : proof.HasFailed ? new(
                    false,
                    ReachReason.Firewall,
                    Sentence.Of($"This box has the public address {candidate.Address.Host}, but peers outside tried and could not connect: a firewall seems to be in the way."),
                    Sentence.Of($"Allow incoming connections to TCP port {evidence.SsbPort} in the firewall in front of this box."))
                : NotTried(Sentence.Of($"This box has the public address {candidate.Address.Host}"));
        }

        private Verdict FromAttempts()
        {
            var byHand = Public(AddressOrigin.Observed).FirstOrDefault();
            var (ipv6, ipv6Proof) = Public(AddressOrigin.Interface).Concat(Public(AddressOrigin.Mapping)).FirstOrDefault(static a => a.Candidate.IsIPv6);
            var mayBeIPv6 = ipv6 is not null && !ipv6Proof.HasFailed;
            bool? isReachable = mayBeIPv6 ? null : false;
            var so = mayBeIPv6 ? Sentence.Of($"and whether this box can be reached by IPv6 ({ipv6!.Address.Host}) was not tried yet") : NobodyOutside;
            if (!evidence.Mappings.IsOn)
            {
                return byHand.Candidate is not null && byHand.Proof.HasFailed
                    ? new(isReachable, ReachReason.Off, Sentence.Of($"Your router does not pass connections on, and asking it to is switched off (map-port), {so}."), Sentence.Of($"Switch map-port on, or have the router pass TCP port {evidence.SsbPort} on to {Here}."))
                    : new(null, ReachReason.Off, Sentence.Of($"Asking your router to pass connections on is switched off (map-port), and no peer outside has come in yet."), Sentence.Of($"Switch map-port on, or have the router pass TCP port {evidence.SsbPort} on to {Here}."));
            }

            if (!evidence.Mappings.IsSettled && evidence.Mappings.Attempts.Count == 0)
            {
                return new(null, ReachReason.Unproven, Sentence.Of($"Your router is being asked to pass connections on."));
            }

            var answers = evidence.Mappings.Attempts.Where(static attempt => attempt.IsAnswered).ToList();
            if (answers.Count == 0)
            {
                return new(
                    isReachable,
                    ReachReason.NoMappingProtocol,
                    Sentence.Of($"Your router did not answer to PCP, NAT-PMP or UPnP, {so}."),
                    Sentence.Of($"Switch on UPnP or port forwarding of TCP port {evidence.SsbPort} to {Here} in the router's settings."));
            }

            var refusal = answers.Find(static attempt => attempt.Error is { Length: > 0 })?.Error?.TrimEnd('.') is { } words ? char.ToLowerInvariant(words[0]) + words[1..] : null;
            return new(
                isReachable,
                ReachReason.MappingRefused,
                refusal is null
                    ? Sentence.Of($"Your router would not pass connections on, {so}.")
                    : Sentence.Of($"Your router would not pass connections on, {so}: {refusal}."),
                Sentence.Of($"Allow UPnP in the router's settings, or set up port forwarding of TCP port {evidence.SsbPort} to {Here} there; if the router itself has no public address, ask your internet provider for one."));
        }

        private static Verdict CarrierNat(Sentence because) => new(
            false,
            ReachReason.CarrierNat,
            Sentence.Of($"{because}, {NobodyOutside}."),
            Sentence.Of($"Ask your internet provider for a public IPv4 address of your own, or for IPv6; no setting of your router can help."));

        private static Verdict NotTried(Sentence because) => new(
            null,
            ReachReason.Unproven,
            Sentence.Of($"{because}, but no peer outside has tried yet whether that works."),
            Sentence.Of($"It is tried as soon as another PiPub outside your home is connected."));
    }
}
