using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Node.Publishing;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Invites;

/// <summary>
/// The muxrpc face of the invites: <c>invite.create</c>, <c>invite.list</c> and <c>invite.revoke</c> for the owner's tools,
/// <c>invite.use</c> and <c>getAddress</c> for whoever holds an invite.
/// </summary>
/// <remarks>References: ssb-invite 3.0.1 (index.js, manifest.json); secret-stack 6.4.2 (getAddress).</remarks>
/// <param name="invitations">The invites.</param>
/// <param name="addresses">The ways to reach the box.</param>
/// <param name="box">The box's own identity.</param>
public sealed class InviteMethods(Invitations invitations, InviteAddresses addresses, FeedId box)
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("invite.create", RpcCallers.Owner, Create);
        methods.Async("invite.list", RpcCallers.Owner, List);
        methods.Async("invite.revoke", RpcCallers.Owner, Revoke);

        // Peers may call it too: whoever holds the code of another pub's invite shall read that, not "not in list of allowed methods".
        methods.Async("invite.use", RpcCallers.Invite | RpcCallers.Peer, Use);
        methods.Sync("getAddress", RpcCallers.Invite, GetAddress);
    }

    private ValueTask<RpcBody> Create(RpcRequest request, CancellationToken cancellationToken)
    {
        var options = request.Arg(0);
        NewInvite created;
        try
        {
            created = invitations.Create(ReadRequest(options), request.Session.Remote);
        }
        catch (InviteException problem)
        {
            throw new RpcException(problem.Message, problem);
        }

        var webSocketOnly = IsTrue(options, "modern");
        var best = webSocketOnly ? created.Codes[0].ToMultiserverText() : created.Codes[0].ToLegacyText();
        return ValueTask.FromResult(Json(json =>
        {
            if (!IsTrue(options, "all"))
            {
                json.WriteStringValue(best);
                return;
            }

            json.WriteStartObject();
            json.WriteString("invite"u8, best);
            json.WriteStartArray("codes"u8);
            foreach (var code in created.Codes)
            {
                json.WriteStartObject();
                json.WriteString("address"u8, code.Address);
                json.WriteString("legacy"u8, code.ToLegacyText());
                json.WriteString("multiserver"u8, code.ToMultiserverText());
                json.WriteEndObject();
            }

            json.WriteEndArray();
            WriteInvite(json, created.Invite);
            json.WriteEndObject();
        }));
    }

    private ValueTask<RpcBody> List(RpcRequest request, CancellationToken cancellationToken)
    {
        var invites = invitations.List();
        return ValueTask.FromResult(Json(json =>
        {
            json.WriteStartArray();
            foreach (var (invite, uses) in invites)
            {
                json.WriteStartObject();
                WriteInvite(json, invite);
                json.WriteStartArray("usedBy"u8);
                foreach (var use in uses)
                {
                    json.WriteStartObject();
                    json.WriteString("feed"u8, use.Feed.ToString());
                    json.WriteNumber("at"u8, use.At.ToUnixTimeMilliseconds());
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));
    }

    private ValueTask<RpcBody> Revoke(RpcRequest request, CancellationToken cancellationToken)
    {
        var text = request.Arg(0) is { ValueKind: JsonValueKind.String } given ? given.GetString()! : "";
        if (!FeedId.TryParse(text.AsSpan(), out var key))
        {
            if (!InviteCode.TryParse(text, out var code, out _))
            {
                throw new RpcException("Give the invite's id, as the list of invites shows it, or its code.");
            }

            key = code!.ToKeyPair().Id;
        }

        return invitations.Revoke(key)
            ? ValueTask.FromResult(RpcBody.Json("true"))
            : throw new RpcException(invitations.IsInvite(key) ? "That invite was taken back before." : "There is no such invite.");
    }

    private async ValueTask<RpcBody> Use(RpcRequest request, CancellationToken cancellationToken)
    {
        if (!request.Caller.HasFlag(RpcCallers.Invite))
        {
            throw new RpcException(Invitations.UnknownInvite);
        }

        var argument = request.Arg(0);
        var feed = argument.ValueKind == JsonValueKind.Object && argument.TryGetProperty("feed"u8, out var named) ? named : argument;
        if (feed.ValueKind != JsonValueKind.String || !FeedId.TryParse(feed.GetString().AsSpan(), out var id))
        {
            throw new RpcException("feed to follow is missing");
        }

        try
        {
            return MessageJson.Format(await invitations.UseAsync(request.Session.Remote, id, cancellationToken));
        }
        catch (InviteException refusal)
        {
            throw new RpcException(refusal.Message, refusal);
        }
        catch (PublishRefusedException failure)
        {
            throw new RpcException($"the pub cannot follow you now. {failure.Message} The invite is still good: try again later.", failure);
        }
        catch (IOException failure)
        {
            throw new RpcException("the pub could not write down that it follows you; its disk may be full. The invite is still good: try again later.", failure);
        }
    }

    private ValueTask<RpcBody> GetAddress(RpcRequest request, CancellationToken cancellationToken)
    {
        var scope = request.Arg(0) is { ValueKind: JsonValueKind.String } given ? given.GetString() : null;
        var address = addresses.AddressOf(box, scope);
        return ValueTask.FromResult(Json(json =>
        {
            if (address is null)
            {
                json.WriteNullValue();
            }
            else
            {
                json.WriteStringValue(address);
            }
        }));
    }

    private static InviteRequest ReadRequest(JsonElement options)
    {
        switch (options.ValueKind)
        {
            case JsonValueKind.Undefined or JsonValueKind.Null:
                return new InviteRequest();
            case JsonValueKind.Number:
                return new InviteRequest(ReadUses(options));
            case JsonValueKind.Object:
                break;
            default:
                throw new RpcException("invite.create takes a number of uses, or an object with uses, note, expires, external, modern.");
        }

        var modern = IsTrue(options, "modern");
        var hosts = new List<string>();
        if (options.TryGetProperty("external"u8, out var external))
        {
            foreach (var host in external.ValueKind == JsonValueKind.Array ? external.EnumerateArray().ToList() : [external])
            {
                if (host is { ValueKind: JsonValueKind.String } && host.GetString() is { Length: > 0 } name)
                {
                    hosts.Add(name);
                }
            }
        }

        DateTimeOffset? expires = null;
        if (options.TryGetProperty("expires"u8, out var until) && until.ValueKind != JsonValueKind.Null)
        {
            expires = until.ValueKind == JsonValueKind.Number && until.TryGetDouble(out var milliseconds) && milliseconds is >= 0 and <= MaxTime
                ? DateTimeOffset.FromUnixTimeMilliseconds((long)milliseconds)
                : throw new RpcException("expires is a time in milliseconds since 1970.");
        }

        return new InviteRequest(
            modern ? 1 : options.TryGetProperty("uses"u8, out var uses) && uses.ValueKind != JsonValueKind.Null ? ReadUses(uses) : 1,
            options.TryGetProperty("note"u8, out var note) && note.ValueKind == JsonValueKind.String ? note.GetString() : null,
            expires,
            hosts,
            modern);
    }

    // The end of the year 9999.
    private const double MaxTime = 253402300799999;

    private static int ReadUses(JsonElement uses) =>
        uses.ValueKind == JsonValueKind.Number && uses.TryGetDouble(out var number) && number == Math.Truncate(number) && Math.Abs(number) <= int.MaxValue
            ? (int)number
            : throw new RpcException("uses is a whole number: how many people may use the invite.");

    private static bool IsTrue(JsonElement options, string name) =>
        options.ValueKind == JsonValueKind.Object && options.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    private static void WriteInvite(Utf8JsonWriter json, Invite invite)
    {
        json.WriteString("id"u8, invite.Key.ToString());
        json.WriteNumber("total"u8, invite.Total);
        json.WriteNumber("used"u8, invite.Used);
        if (invite.Note is not null)
        {
            json.WriteString("note"u8, invite.Note);
        }

        json.WriteNumber("created"u8, invite.Created.ToUnixTimeMilliseconds());
        if (invite.Expires is { } expires)
        {
            json.WriteNumber("expires"u8, expires.ToUnixTimeMilliseconds());
        }

        if (invite.Revoked is { } revoked)
        {
            json.WriteNumber("revoked"u8, revoked.ToUnixTimeMilliseconds());
        }

        json.WriteString("createdBy"u8, invite.CreatedBy.ToString());
    }

    private static RpcBody Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        write(json);
        json.Flush();
        return RpcBody.Json(buffer.WrittenMemory);
    }
}
