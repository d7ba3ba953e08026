using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.HttpAuth;

/// <summary>A sign-in that a page has begun: a nonce that an app is to sign, and who waits for it.</summary>
public sealed class HttpAuthChallenge
{
    private readonly TaskCompletionSource<FeedId?> _solved = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal HttpAuthChallenge(string nonce, string ticket, string from, DateTimeOffset expires) =>
        (Nonce, Ticket, From, Expires) = (nonce, ticket, from, expires);

    /// <summary>The server's nonce (sc). Whoever sees the page may know it.</summary>
    public string Nonce { get; }

    /// <summary>What the browser that began it knows and nobody else, not even the app: with this it fetches its session.</summary>
    public string Ticket { get; }

    /// <summary>When it is over.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>Who solved it; null when it came to nothing. Does not end by itself when its time is over.</summary>
    public Task<FeedId?> Solved => _solved.Task;

    /// <summary>Where it was begun.</summary>
    internal string From { get; }

    internal void End(FeedId? by) => _solved.TrySetResult(by);
}
