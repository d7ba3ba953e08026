using System.Text.Json;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Reachability;

/// <summary><c>reach.report</c>: whether the box can be reached, for the owner's tools. A method of PiPub's own (async).</summary>
/// <param name="report">Makes the report.</param>
/// <param name="hostName">The box's name on the local network; null where it has none.</param>
/// <param name="box">The box's own identity.</param>
public sealed class ReachMethods(Func<ReachReport> report, Func<string?> hostName, FeedId box)
{
    /// <summary>Offers the method.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("reach.report", RpcCallers.Owner, (_, _) => new(JsonBody.Object((Report: report(), Name: hostName(), Box: box), Write)));
    }

    /// <summary>Writes the members of the answer.</summary>
    public static void Write(Utf8JsonWriter json, (ReachReport Report, string? Name, FeedId Box) answer)
    {
        ArgumentNullException.ThrowIfNull(json);
        var (report, name, box) = answer;
        json.WriteString("hostName"u8, name);
        if (report.IsReachable is { } isReachable)
        {
            json.WriteBoolean("reachable"u8, isReachable);
        }
        else
        {
            json.WriteNull("reachable"u8);
        }

        json.WriteString("summary"u8, report.Summary.ToString());
        json.WriteString("advice"u8, report.Advice?.ToString());
        json.WriteString("reason"u8, report.Reason);
        json.WriteStartArray("addresses"u8);
        foreach (var address in report.Addresses)
        {
            WriteAddress(json, address, box);
        }

        json.WriteEndArray();
        WriteMapping(json, report);
        json.WriteStartArray("attempts"u8);
        foreach (var attempt in report.Mappings.Attempts)
        {
            json.WriteStartObject();
            json.WriteString("protocol"u8, WordFor(attempt.Protocol));
            json.WriteBoolean("answered"u8, attempt.IsAnswered);
            json.WriteString("error"u8, attempt.Error);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("gateway"u8, report.Mappings.Gateway?.ToString());
    }

    private static void WriteAddress(Utf8JsonWriter json, ReportedAddress address, FeedId box)
    {
        json.WriteStartObject();
        json.WriteString("address"u8, address.Candidate.ToMultiserver(box));
        json.WriteString("scope"u8, address.Candidate.Scope == AddressScope.Public ? "public" : "local");
        json.WriteString("origin"u8, address.Candidate.Origin switch
        {
            AddressOrigin.Configured => "configured",
            AddressOrigin.Mapping => "mapping",
            AddressOrigin.Interface => "interface",
            _ => "observed",
        });
        json.WriteBoolean("proven"u8, address.Proof.IsProven);
        WriteTime(json, "provenAt"u8, address.Proof.ProvenAt);
        json.WriteString("provenBy"u8, address.Proof.ProvenAt is null ? null : address.Proof.ProvenBy?.ToString() ?? "incoming");
        json.WriteString("problem"u8, address.Problem?.ToString());
        json.WriteEndObject();
    }

    private static void WriteMapping(Utf8JsonWriter json, ReachReport report)
    {
        if (report.Mappings.Mappings is not [var mapping, ..])
        {
            json.WriteNull("mapping"u8);
            return;
        }

        json.WriteStartObject("mapping"u8);
        json.WriteString("protocol"u8, WordFor(mapping.Protocol));
        json.WriteString("externalAddress"u8, mapping.ExternalAddress?.ToString());
        json.WriteNumber("externalPort"u8, mapping.ExternalPort);
        json.WriteNumber("internalPort"u8, mapping.InternalPort);
        WriteTime(json, "expiresAt"u8, mapping.ExpiresAt);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } known)
        {
            json.WriteNumber(name, known.ToUnixTimeMilliseconds());
        }
        else
        {
            json.WriteNull(name);
        }
    }

    private static string WordFor(MappingProtocol protocol) => protocol switch
    {
        MappingProtocol.Pcp => "pcp",
        MappingProtocol.NatPmp => "nat-pmp",
        _ => "upnp",
    };
}
