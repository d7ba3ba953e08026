using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using PiPub.Node.Peers;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Reachability;

/// <summary>
/// <c>reach.dialBack</c>: a peer asks this box to see whether it can be reached at the addresses that it believes in.
/// </summary>
/// <remarks>
/// <para>A method of PiPub's own (async, for peers), after the manner of AutoNAT in libp2p. One argument:
/// <c>{"addresses":["net:203.0.113.5:8008~shs:(key)"],"seed":"(32 bytes in base64)"}</c>: none to four multiserver addresses
/// (net, ws or wss, each at most 300 characters) with the asker's own key, and the Ed25519 seed of an identity made for this one
/// question, with which the box is to come. Answer:
/// <c>{"observed":"203.0.113.5","results":[{"address":"net:...","ok":true,"code":"ok","message":"..."}]}</c>; observed is the IP
/// address from which the asker is seen, or null, and the results are in the order of the addresses.</para>
/// <para>Codes: <c>ok</c>, a whole handshake was made with the asker there; <c>unreachable</c>, whatever else came of it;
/// <c>not-dialable</c>, it was not tried: the address is not public, not of a known kind, or this box has no network of that
/// family. A question that is malformed or one too many (<see cref="DialBackLimits"/>) is answered with an error.</para>
/// <para>It is no help to whoever looks for open doors: only public addresses, only the asker's own key, few questions, no
/// word on why there was no handshake, and the same time for every failure. The one-time identity keeps the connection that
/// asker and box have from being replaced by a newer one, and tells the asker that it was really there that the box came in.</para>
/// </remarks>
public sealed class DialBackMethods
{
    /// <summary>The method's name.</summary>
    public const string Method = "reach.dialBack";

    internal const string Ok = "ok";
    internal const string Unreachable = "unreachable";
    internal const string NotDialable = "not-dialable";

    private const int MaxAddressLength = 300;

    private readonly PeerServer _server;
    private readonly DialBackLimits _limits;
    private readonly Func<AddressFamily, bool> _hasNetwork;
    private readonly TimeProvider _time;
    private readonly DialBackBudget _budget;

    /// <summary>Joins the parts.</summary>
    /// <param name="server">Who dials.</param>
    /// <param name="limits">How much.</param>
    /// <param name="hasNetwork">Whether this machine can reach public addresses of a family at all.</param>
    /// <param name="time">The clock.</param>
    public DialBackMethods(PeerServer server, DialBackLimits limits, Func<AddressFamily, bool> hasNetwork, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(limits);
        (_server, _limits, _hasNetwork, _time) = (server, limits, hasNetwork, time);
        _budget = new DialBackBudget(limits, time);
    }

    /// <summary>Offers the method.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async(Method, RpcCallers.Peer, AnswerAsync);
    }

    private async ValueTask<RpcBody> AnswerAsync(RpcRequest request, CancellationToken connectionEnded)
    {
        var asker = request.Session.Remote;
        if (_server.Peers.FindConnected(asker) is not { } peer || peer.Session != request.Session)
        {
            throw new RpcException($"{Method} is for peers that are connected.");
        }

        var (addresses, visitor) = Read(request.Arg(0), asker);
        if (_budget.Refuse(asker) is { } why)
        {
            throw new RpcException($"The question was not taken: {why}");
        }

        try
        {
            var codes = await TryAsync(addresses, visitor, connectionEnded);
            return JsonBody.Object((peer.RemoteAddress, addresses, codes), Write);
        }
        finally
        {
            _budget.Answered(asker);
        }
    }

    private async Task<string[]> TryAsync(List<MultiserverAddress> addresses, KeyPair visitor, CancellationToken connectionEnded)
    {
        var begun = _time.GetTimestamp();
        using var limit = new CancellationTokenSource(_limits.TimeLimit, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, connectionEnded);
        var codes = await Task.WhenAll(addresses.ConvertAll(address => TryAsync(address, visitor, both.Token)));
        var left = _limits.TimeLimit - _time.GetElapsedTime(begun);
        if (codes.Contains(Unreachable) && left > TimeSpan.Zero)
        {
            await Task.Delay(left, _time, connectionEnded);
        }

        return codes;
    }

    private async Task<string> TryAsync(MultiserverAddress address, KeyPair visitor, CancellationToken cancellationToken)
    {
        if (!IsDialable(address))
        {
            return NotDialable;
        }

        try
        {
            await _server.ProbeAsync(address, visitor, _limits.PublicOnly, cancellationToken);
            return Ok;
        }
        catch (Exception e) when (e is PeerConnectException or OperationCanceledException)
        {
            return Unreachable;
        }
    }

    /// <summary>A path is not asked for: it could make the box ask somebody's web server for whatever the asker likes.</summary>
    private bool IsDialable(MultiserverAddress address) =>
        address is { IsDialable: true, Transport: MultiserverTransport.Net or MultiserverTransport.Ws or MultiserverTransport.Wss, Path: "" or "/" }
        && (!_limits.PublicOnly || address.Scope == AddressScope.Public)
        && (!PeerHost.TryParseAddress(address.Host, out var ip) || _hasNetwork(ip.AddressFamily));

    private (List<MultiserverAddress> Addresses, KeyPair Visitor) Read(JsonElement question, FeedId asker)
    {
        if (question.ValueKind != JsonValueKind.Object
            || !question.TryGetProperty("addresses"u8, out var given) || given.ValueKind != JsonValueKind.Array
            || !question.TryGetProperty("seed"u8, out var seed) || seed.ValueKind != JsonValueKind.String
            || !seed.TryGetBytesFromBase64(out var seedBytes) || seedBytes.Length != Bytes32.Length)
        {
            throw new RpcException($"{Method} takes an object with addresses (an array of multiserver addresses) and seed (32 bytes in base64).");
        }

        if (given.GetArrayLength() > _limits.MaxAddresses)
        {
            throw new RpcException($"{Method} takes at most {_limits.MaxAddresses} addresses at a time.");
        }

        var addresses = new List<MultiserverAddress>();
        foreach (var item in given.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String || item.GetString() is not { Length: <= MaxAddressLength } text
                || !MultiserverAddress.TryParse(text, out var address))
            {
                throw new RpcException($"{Method} takes multiserver addresses of at most {MaxAddressLength} characters.");
            }

            if (address.Key != asker)
            {
                throw new RpcException($"{Method} dials nobody but the one who asks: the addresses must end with your own key.");
            }

            addresses.Add(address);
        }

        return (addresses, KeyPair.FromSeed(seedBytes));
    }

    private static void Write(Utf8JsonWriter json, (IPAddress? Observed, List<MultiserverAddress> Addresses, string[] Codes) answer)
    {
        json.WriteString("observed"u8, answer.Observed?.ToString());
        json.WriteStartArray("results"u8);
        for (var i = 0; i < answer.Codes.Length; i++)
        {
            json.WriteStartObject();
            json.WriteString("address"u8, answer.Addresses[i].ToString());
            json.WriteBoolean("ok"u8, answer.Codes[i] == Ok);
            json.WriteString("code"u8, answer.Codes[i]);
            json.WriteString("message"u8, answer.Codes[i] switch
            {
                Ok => "You were met there.",
                NotDialable => "Not tried: the address is not a public one, or of a kind that cannot be reached from here.",
                _ => "You were not met there.",
            });
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
