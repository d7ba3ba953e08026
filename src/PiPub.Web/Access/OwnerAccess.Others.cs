using System.Net;
using System.Security.Cryptography;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Web.Access;

/// <content>Who comes in otherwise than by the password: the owner's app, and programs.</content>
public sealed partial class OwnerAccess
{
    /// <summary>Signs in whomever an app vouches for. There is nothing to guess in that, so attempts are not counted.</summary>
    /// <param name="app">The feed of the app that does; null when none does.</param>
    /// <param name="address">Where it is asked from.</param>
    /// <param name="browser">What the browser calls itself.</param>
    public AccessAnswer SignInByApp(FeedId? app, IPAddress address, string? browser) =>
        !_isClaimed ? new AccessAnswer(AccessOutcome.NotClaimed)
        : app is null ? new AccessAnswer(AccessOutcome.NotByApp)
        : new AccessAnswer(AccessOutcome.Granted, Begin(address, browser, app));

    /// <summary>Signs out all browsers that somebody's app has signed in.</summary>
    public void EndByApp(FeedId app)
    {
        foreach (var session in _table.Sessions())
        {
            if (session.App == app)
            {
                _ = End(session.Id);
            }
        }
    }

    /// <summary>Whether programs have a token.</summary>
    public bool HasApiToken => _table.ApiTokenHash is not null;

    /// <summary>Makes a new token with which programs may read how the box is doing; an earlier one is good no more.</summary>
    public string CreateApiToken()
    {
        var token = RandomNumberGenerator.GetBytes(TokenBytes);
        _table.ReplaceApiToken(SHA256.HashData(token), _time.GetUtcNow());
        return Convert.ToHexStringLower(token);
    }

    /// <summary>Lets programs read nothing any more.</summary>
    public void RemoveApiToken() => _table.ReplaceApiToken(null, _time.GetUtcNow());

    /// <summary>Whether this is the token for programs.</summary>
    public bool IsApiToken(string? token)
    {
        Span<byte> bytes = stackalloc byte[TokenBytes];
        return token?.Length == 2 * TokenBytes
            && Convert.FromHexString(token, bytes, out _, out _) == System.Buffers.OperationStatus.Done
            && _table.ApiTokenHash is { } hash
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(bytes), hash);
    }
}
