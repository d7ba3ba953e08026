using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.HttpAuth;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.HttpAuth;

/// <summary>The sign-ins that pages have begun and no app has finished. Each lasts three minutes and can be solved once.</summary>
/// <remarks>Anybody may begin one: 4 for one place and 64 in all are kept, and the oldest go first.</remarks>
public sealed class HttpAuthChallenges(TimeProvider time)
{
    /// <summary>How long one lasts. Source: go-ssb-room, web/handlers/auth/withssb.go.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(3);

    private const int MostFromOnePlace = 4;
    private const int Most = 64;

    private readonly Lock _gate = new();
    private readonly List<HttpAuthChallenge> _open = [];

    /// <summary>Begins one.</summary>
    /// <param name="from">Where from, such as an IP address: counts against that place.</param>
    public HttpAuthChallenge Begin(string from)
    {
        var challenge = new HttpAuthChallenge(
            HttpAuthSolution.NewNonce(), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes32.Length)), from, time.GetUtcNow() + Lifetime);
        lock (_gate)
        {
            Forget();
            var own = _open.FindAll(one => one.From == from);
            if (own.Count >= MostFromOnePlace)
            {
                Remove(own[0]);
            }
            else if (_open.Count >= Most)
            {
                Remove(_open[0]);
            }

            _open.Add(challenge);
        }

        return challenge;
    }

    /// <summary>The one of a browser, open or solved; null when it is over.</summary>
    public HttpAuthChallenge? Find(string? ticket)
    {
        lock (_gate)
        {
            Forget();
            return _open.Find(one => IsSame(one.Ticket, ticket));
        }
    }

    /// <summary>Takes the result for the browser that began it, once; null when no app has solved it (yet).</summary>
    public FeedId? Take(string? ticket)
    {
        lock (_gate)
        {
            Forget();
            if (_open.Find(one => IsSame(one.Ticket, ticket)) is { Solved: { IsCompleted: true } solved } found)
            {
                _open.Remove(found);
                return solved.Result;
            }

            return null;
        }
    }

    /// <summary>An app shows a solution: right or wrong, there is no second try. False when it is wrong, or nothing was begun with this nonce.</summary>
    /// <param name="nonce">The server's nonce.</param>
    /// <param name="isRight">Judges the solution; asked only when the nonce is one of these.</param>
    /// <param name="by">Who shows it.</param>
    public bool Solve(string? nonce, Func<bool> isRight, FeedId by)
    {
        ArgumentNullException.ThrowIfNull(isRight);
        lock (_gate)
        {
            Forget();
            if (_open.Find(one => !one.Solved.IsCompleted && IsSame(one.Nonce, nonce)) is not { } found)
            {
                return false;
            }

            if (!isRight())
            {
                Remove(found);
                return false;
            }

            found.End(by);
            return true;
        }
    }

    /// <summary>Ends all that somebody has solved and no browser has fetched yet.</summary>
    public void Withdraw(FeedId by)
    {
        lock (_gate)
        {
            _ = _open.RemoveAll(one => one.Solved is { IsCompleted: true } solved && solved.Result == by);
        }
    }

    private static bool IsSame(string known, string? given) =>
        given is not null && given.Length == known.Length && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(known), Encoding.UTF8.GetBytes(given));

    private void Remove(HttpAuthChallenge challenge)
    {
        _ = _open.Remove(challenge);
        challenge.End(null);
    }

    private void Forget()
    {
        var now = time.GetUtcNow();
        foreach (var over in _open.FindAll(one => one.Expires <= now))
        {
            Remove(over);
        }
    }
}
