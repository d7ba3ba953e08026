using System.Net;
using PiPub.Node.HttpAuth;
using PiPub.Scuttlebutt.HttpAuth;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Web.Access;

/// <summary>Signing in with the owner's SSB app in place of the password. Off until the owner wants it: a second way in.</summary>
public sealed class AppSignIn
{
    private const string Choice = "ssb-sign-in";

    private readonly OwnerAccess _access;
    private readonly AccessTable _table;
    private readonly HttpAuthentication _auth;
    private readonly Func<IPAddress, string?> _address;
    private volatile bool _isOn;

    /// <summary>Joins the parts.</summary>
    /// <param name="access">Who gives sessions.</param>
    /// <param name="table">Where the owner's choice is kept.</param>
    /// <param name="connect">Makes what speaks with the app, given whether the owner wants it.</param>
    /// <param name="address">The box's multiserver address for an app in the same place as a browser; null when there is none.</param>
    public AppSignIn(OwnerAccess access, AccessTable table, Func<Func<bool>, HttpAuthentication> connect, Func<IPAddress, string?> address)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(connect);
        (_access, _table, _address) = (access, table, address);
        _isOn = table.Choice(Choice);
        _auth = connect(() => _isOn);
        _auth.Invalidated += access.EndByApp;
    }

    /// <summary>Whether the owner wants it.</summary>
    public bool IsOn => _isOn;

    /// <summary>Whether anybody could sign in so: it is on, and the box knows its owner's app.</summary>
    public bool IsPossible => _access.IsClaimed && _auth.IsPossible;

    /// <summary>Switches it on or off. Browsers that are signed in stay so.</summary>
    public void Set(bool on)
    {
        _table.SetChoice(Choice, on);
        _isOn = on;
    }

    /// <summary>Begins a sign-in on a page.</summary>
    public HttpAuthChallenge Begin(IPAddress from) => _auth.Challenges.Begin(AttemptLimit.Network(from).ToString());

    /// <summary>The link with which an app finishes it.</summary>
    public string LinkOf(HttpAuthChallenge challenge, IPAddress from)
    {
        ArgumentNullException.ThrowIfNull(challenge);
        return HttpAuthUri.Of(_auth.Box, challenge.Nonce, _address(from));
    }

    /// <summary>The sign-in of a browser; null when it is over.</summary>
    public HttpAuthChallenge? Find(string? ticket) => _auth.Challenges.Find(ticket);

    /// <summary>Gives a browser its session, when an app has finished what it began.</summary>
    public AccessAnswer Finish(string? ticket, IPAddress address, string? browser) =>
        _access.SignInByApp(IsPossible ? _auth.Challenges.Take(ticket) : null, address, browser);

    /// <summary>Gives a browser its session that an app has sent here, when the app stands by it.</summary>
    public async Task<AccessAnswer> AskAsync(string? client, string? cc, IPAddress address, string? browser, CancellationToken cancellationToken) =>
        _access.SignInByApp(await _auth.AskAsync(client, cc, cancellationToken) && FeedId.TryParse(client.AsSpan(), out var id) ? id : null, address, browser);
}
