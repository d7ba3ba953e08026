using System.Text.Json;
using PiPub.Node.Peers;
using PiPub.Node.Queries;
using PiPub.Scuttlebutt.HttpAuth;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.HttpAuth;

/// <summary>
/// Signing in to the box's pages with an SSB app, for its owner alone: a page asks and the app answers (<c>httpAuth.sendSolution</c>), or
/// the app begins and the box asks it (<c>httpAuth.requestSolution</c>). <c>httpAuth.invalidateAllSolutions</c> ends what came of either.
/// </summary>
/// <remarks>
/// References: ssbc/sips 006; ssb-http-auth-client 1.1.1. All three are async; sendSolution takes <c>[sc, cc, sol]</c> and answers true,
/// requestSolution takes <c>[sc, cc]</c> and answers sol, invalidateAllSolutions takes nothing and answers true.
/// </remarks>
/// <param name="box">The box's own identity.</param>
/// <param name="owner">The feed of the box's owner; null while there is none.</param>
/// <param name="peers">Who is connected.</param>
/// <param name="challenges">The sign-ins that pages have begun.</param>
/// <param name="time">The clock.</param>
public sealed class HttpAuthentication(FeedId box, Func<FeedId?> owner, PeerTable peers, HttpAuthChallenges challenges, TimeProvider time)
{
    /// <summary>How long the app is given to answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Nobody shall keep the owner's phone busy: one question at a time, and ten in a minute.</summary>
    private const int MostAMinute = 10;

    private readonly Lock _gate = new();
    private bool _isAsking;
    private int _asked;
    private long _minuteBegan;

    /// <summary>Whether the owner wants it.</summary>
    public Func<bool> IsOn { get; init; } = static () => true;

    /// <summary>Raised with a feed that withdraws all that it has signed in.</summary>
    public event Action<FeedId>? Invalidated;

    /// <summary>The sign-ins that pages have begun.</summary>
    public HttpAuthChallenges Challenges => challenges;

    /// <summary>The box's own identity.</summary>
    public FeedId Box => box;

    /// <summary>Whether anybody could sign in so: it is wanted, and there is an owner.</summary>
    public bool IsPossible => IsOn() && owner() is not null;

    /// <summary>Offers the methods.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("httpAuth.sendSolution", RpcCallers.Peer, (request, _) => new(Take(request)));
        methods.Async("httpAuth.invalidateAllSolutions", RpcCallers.Peer, (request, _) => new(Invalidate(request)));
    }

    /// <summary>
    /// An app has sent its person's browser here: asks the app itself, which must be connected. False when it is not, is not the owner's,
    /// or does not stand by it; which of these is not told apart, so that nobody learns whether the owner is there.
    /// </summary>
    /// <param name="client">Who it says it is (cid).</param>
    /// <param name="cc">The nonce that the app gave its browser.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> AskAsync(string? client, string? cc, CancellationToken cancellationToken)
    {
        if (!IsOn() || !HttpAuthSolution.IsNonce(cc) || !FeedId.TryParse(client.AsSpan(), out var id) || owner() != id
            || peers.FindConnected(id) is not { } peer || !MayAsk())
        {
            return false;
        }

        try
        {
            var sc = HttpAuthSolution.NewNonce();
            var arguments = JsonBody.Write((sc, cc), static (json, nonces) =>
            {
                json.WriteStartArray();
                json.WriteStringValue(nonces.sc);
                json.WriteStringValue(nonces.cc);
                json.WriteEndArray();
            });
            using var limit = new CancellationTokenSource(Patience, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            var answer = await peer.Session.CallAsync("httpAuth.requestSolution", arguments.Bytes, both.Token);
            return answer.Bytes.Length <= 2 * HttpAuthSolution.Length
                && answer.ToJson() is { ValueKind: JsonValueKind.String } solution
                && HttpAuthSolution.Verify(solution.GetString(), id, box, sc, cc);
        }
        catch (Exception e) when (e is RpcException or JsonException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            lock (_gate)
            {
                _isAsking = false;
            }
        }
    }

    private bool MayAsk()
    {
        lock (_gate)
        {
            if (_minuteBegan == 0 || time.GetElapsedTime(_minuteBegan) >= TimeSpan.FromMinutes(1))
            {
                (_minuteBegan, _asked) = (time.GetTimestamp(), 0);
            }

            if (_isAsking || _asked >= MostAMinute)
            {
                return false;
            }

            _asked++;
            return _isAsking = true;
        }
    }

    private RpcBody Take(RpcRequest request)
    {
        RefuseWhenOff(request);
        var client = request.Session.Remote;
        if (owner() != client)
        {
            throw new RpcException("Only the owner of this box can sign in to its pages.");
        }

        var (sc, cc, solution) = (Text(request, 0), Text(request, 1), Text(request, 2));
        return challenges.Solve(sc, () => HttpAuthSolution.Verify(solution, client, box, sc, cc), client)
            ? RpcBody.Json("true")
            : throw new RpcException("That sign-in is over, or its solution is wrong. Load the box's sign-in page again.");
    }

    private RpcBody Invalidate(RpcRequest request)
    {
        RefuseWhenOff(request);
        challenges.Withdraw(request.Session.Remote);
        Invalidated?.Invoke(request.Session.Remote);
        return RpcBody.Json("true");
    }

    /// <summary>As if there were no such method: an app then does not offer it to its person.</summary>
    private void RefuseWhenOff(RpcRequest request)
    {
        if (!IsOn())
        {
            throw RpcException.MissingMethod(request.Method);
        }
    }

    private static string? Text(RpcRequest request, int index) => request.Arg(index) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
