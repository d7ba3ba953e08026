using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Node.Peers;
using PiPub.Scuttlebutt.Addresses;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Reachability;

/// <summary>What a peer found when it was asked to dial back.</summary>
/// <param name="Observed">Where it sees this box come from; null when it did not tell, or told nonsense.</param>
/// <param name="Works">The addresses by which it came in.</param>
/// <param name="Fails">The addresses by which it could not. What is in neither it did not try.</param>
public sealed record DialBackAnswer(IPAddress? Observed, IReadOnlyList<AddressCandidate> Works, IReadOnlyList<AddressCandidate> Fails)
{
    /// <summary>Whether the peer says that it came in by an address by which nobody has come yet.</summary>
    internal bool IsAhead { get; init; }
}

/// <summary>Asks a peer to dial back; see <see cref="DialBackMethods"/> for what goes over the wire.</summary>
public static class DialBackQuestion
{
    private static readonly TimeSpan VisitorBehind = TimeSpan.FromSeconds(2);

    /// <summary>Asks, and waits for the answer. "It works" is only believed when somebody did come in with the question's own key.</summary>
    /// <param name="server">Where the peer will come in.</param>
    /// <param name="peer">Whom to ask.</param>
    /// <param name="addresses">What to try, at most four; with none it only tells what it observes.</param>
    /// <param name="cancellationToken">The caller's time limit.</param>
    /// <exception cref="RpcException">The peer does not know the method, or would not answer.</exception>
    public static async Task<DialBackAnswer> AskAsync(
        PeerServer server, Peer peer, IReadOnlyList<AddressCandidate> addresses, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(addresses);
        var visitor = KeyPair.Generate();
        var families = new ConcurrentDictionary<AddressFamily, bool>();
        var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var awaited = server.AwaitProbe(visitor.Id, transport =>
        {
            families[transport.Remote?.AddressFamily ?? AddressFamily.Unknown] = true;
            came.TrySetResult();
        });
        var texts = addresses.Select(candidate => candidate.ToMultiserver(server.Id)).ToList();
        var body = await peer.Session.CallAsync(DialBackMethods.Method, Write(texts, visitor), cancellationToken);
        bool HasCome(AddressCandidate candidate) => candidate.Ip is { } ip ? families.ContainsKey(ip.AddressFamily) : !families.IsEmpty;
        var answer = Read(body, addresses, texts, HasCome);

        // The visitor is through the handshake a moment before this end of it is, and the answer may overtake it.
        if (answer.IsAhead)
        {
            _ = await Task.WhenAny(came.Task, Task.Delay(VisitorBehind, cancellationToken));
            answer = Read(body, addresses, texts, HasCome);
        }

        return answer;
    }

    private static ReadOnlyMemory<byte> Write(List<string> addresses, KeyPair visitor)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartArray();
        json.WriteStartObject();
        json.WriteStartArray("addresses"u8);
        foreach (var address in addresses)
        {
            json.WriteStringValue(address);
        }

        json.WriteEndArray();
        json.WriteBase64String("seed"u8, visitor.Seed);
        json.WriteEndObject();
        json.WriteEndArray();
        json.Flush();
        return bytes.WrittenMemory;
    }

    private static DialBackAnswer Read(RpcBody body, IReadOnlyList<AddressCandidate> asked, List<string> texts, Func<AddressCandidate, bool> hasCome)
    {
        var (works, fails) = (new List<AddressCandidate>(), new List<AddressCandidate>());
        var isAhead = false;
        IPAddress? observed = null;
        try
        {
            var answer = body.ToJson();
            if (answer.TryGetProperty("observed"u8, out var seen) && seen.ValueKind == JsonValueKind.String && PeerHost.TryParseAddress(seen.GetString()!, out var ip))
            {
                observed = ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip;
            }

            foreach (var result in answer.GetProperty("results"u8).EnumerateArray().Take(asked.Count))
            {
                var index = texts.IndexOf(result.GetProperty("address"u8).GetString()!);
                var code = result.GetProperty("code"u8).GetString();
                if (index < 0)
                {
                    continue;
                }

                if (code == DialBackMethods.Ok && hasCome(asked[index]))
                {
                    works.Add(asked[index]);
                }
                else if (code is DialBackMethods.Unreachable or DialBackMethods.Ok)
                {
                    fails.Add(asked[index]);
                    isAhead |= code == DialBackMethods.Ok;
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new RpcException("The peer's answer could not be read.", e);
        }

        return new DialBackAnswer(observed, works, fails) { IsAhead = isAhead };
    }
}
