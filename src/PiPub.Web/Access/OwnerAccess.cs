using System.Net;
using System.Security.Cryptography;
using System.Text;
using PiPub.Scuttlebutt.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.State;

namespace PiPub.Web.Access;

/// <summary>How an attempt to claim the box or to sign in ended.</summary>
public enum AccessOutcome
{
    /// <summary>Welcome.</summary>
    Granted,

    /// <summary>The password is not the owner's.</summary>
    WrongPassword,

    /// <summary>No app of the owner's vouches for it.</summary>
    NotByApp,

    /// <summary>The claim code is not the one that the box shows.</summary>
    WrongCode,

    /// <summary>The new password is too short.</summary>
    WeakPassword,

    /// <summary>The box has its owner already.</summary>
    AlreadyClaimed,

    /// <summary>Nobody has claimed the box yet.</summary>
    NotClaimed,

    /// <summary>Too many wrong attempts: it was not even looked at.</summary>
    TooOften,
}

/// <summary>The answer to an attempt.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Token">The new session's token, which only the browser keeps; null unless granted.</param>
/// <param name="Wait">How long to wait before another attempt, when it was too often.</param>
public readonly record struct AccessAnswer(AccessOutcome Outcome, string? Token = null, TimeSpan Wait = default);

/// <summary>
/// Whether a browser is the owner's: claiming the box once, signing in with the password, and the sessions that follow.
/// </summary>
/// <remarks>
/// Passwords are hashed with Argon2id, at 32 MiB and four passes (RFC 9106 asks for at least three at 64 MiB where there is
/// memory for it; a board with 1 GB runs a node beside it), one at a time. A session is 32 random bytes in a cookie; its
/// SHA-256 is kept. Sessions end after 60 days without a visit.
/// </remarks>
public sealed partial class OwnerAccess : IDisposable
{
    /// <summary>The shortest password, in characters.</summary>
    public const int MinPassword = 10;

    private const int Passes = 4;
    private const int Memory = 32 * 1024 * 1024;
    private const int MaxPassword = 1024;
    private const int TokenBytes = 32;
    private const int MaxBrowserText = 200;

    private static readonly TimeSpan SeenEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan EndsAfter = TimeSpan.FromDays(60);

    private readonly AccessTable _table;
    private readonly AttemptLimit _limit;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _hashing = new(1);
    private volatile bool _isClaimed;

    /// <summary>Reads whether the box has its owner, and forgets sessions long unused.</summary>
    /// <param name="table">What is kept of it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="proof">How a new owner shows that the box is theirs; by a code of eight digits when nothing else is said.</param>
    public OwnerAccess(AccessTable table, TimeProvider time, ClaimProof? proof = null)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(time);
        (_table, _time, _limit) = (table, time, new AttemptLimit(time));
        Proof = proof ?? new ClaimProof(new ClaimCode(), IPAddress.IsLoopback, time);
        _isClaimed = table.PasswordHash is not null;
        _ = table.RemoveUnseenSince(time.GetUtcNow() - EndsAfter);
    }

    /// <summary>Raised with a session's number when it has ended, so that what it has open is closed.</summary>
    public event Action<long>? Ended;

    /// <summary>Whether somebody has claimed the box.</summary>
    public bool IsClaimed => _isClaimed;

    /// <summary>How a new owner shows that the box is theirs.</summary>
    public ClaimProof Proof { get; }

    /// <summary>
    /// Whether the owner may set a new password without the present one: the box has started with a claim file whose code was never
    /// used before, which only somebody who has its card in hand can bring about.
    /// </summary>
    public bool CanStartOver => _isClaimed && Proof.Code is { Text: null } code && !_table.Choice(UsedCode(code));

    /// <summary>The browsers that are signed in, the one seen last first.</summary>
    public IReadOnlyList<WebSession> Sessions() => _table.Sessions();

    /// <summary>
    /// Makes whoever knows the claim code, or has pressed the button, the owner, with a password of their choice, and signs them in. Of a box
    /// that has its owner only a code that is new on its card does so, and signs out all other browsers.
    /// </summary>
    public async Task<AccessAnswer> ClaimAsync(string? code, string? password, IPAddress address, string? browser, CancellationToken cancellationToken)
    {
        var isForgotten = CanStartOver;
        if (_isClaimed && !isForgotten)
        {
            return new AccessAnswer(AccessOutcome.AlreadyClaimed);
        }

        if (_limit.Wait(address) is var wait && wait > TimeSpan.Zero)
        {
            return new AccessAnswer(AccessOutcome.TooOften, Wait: wait);
        }

        if (isForgotten ? !Proof.Code.Matches(code) : !Proof.Accepts(code, address))
        {
            _limit.Failed(address);
            return new AccessAnswer(AccessOutcome.WrongCode);
        }

        if (!IsLongEnough(password))
        {
            return new AccessAnswer(AccessOutcome.WeakPassword);
        }

        var hash = await HashAsync(password!, cancellationToken);
        if (isForgotten)
        {
            _table.ReplacePassword(hash, _time.GetUtcNow());
            EndOthers(keep: -1);
        }
        else if (!_table.TrySetFirstPassword(hash, _time.GetUtcNow()))
        {
            return new AccessAnswer(AccessOutcome.AlreadyClaimed);
        }

        if (Proof.Code is { Text: null } chosen)
        {
            // Also where the button was pressed instead: it may lie there for years, and opens nothing any more.
            _table.SetChoice(UsedCode(chosen), true);
        }

        _isClaimed = true;
        return new AccessAnswer(AccessOutcome.Granted, Begin(address, browser));
    }

    /// <summary>Signs in whoever knows the password.</summary>
    public async Task<AccessAnswer> SignInAsync(string? password, IPAddress address, string? browser, CancellationToken cancellationToken)
    {
        if (_table.PasswordHash is not { } hash)
        {
            return new AccessAnswer(AccessOutcome.NotClaimed);
        }

        if (_limit.Wait(address) is var wait && wait > TimeSpan.Zero)
        {
            return new AccessAnswer(AccessOutcome.TooOften, Wait: wait);
        }

        if (!await IsPasswordAsync(hash, password, cancellationToken))
        {
            _limit.Failed(address);
            return new AccessAnswer(AccessOutcome.WrongPassword);
        }

        _limit.Succeeded(address);
        return new AccessAnswer(AccessOutcome.Granted, Begin(address, browser));
    }

    /// <summary>Asks for the password once more, of somebody who is signed in and wants something that cannot be undone.</summary>
    public async Task<AccessAnswer> ConfirmAsync(string? password, IPAddress address, CancellationToken cancellationToken)
    {
        if (_limit.Wait(address) is var wait && wait > TimeSpan.Zero)
        {
            return new AccessAnswer(AccessOutcome.TooOften, Wait: wait);
        }

        if (_table.PasswordHash is not { } hash || !await IsPasswordAsync(hash, password, cancellationToken))
        {
            _limit.Failed(address);
            return new AccessAnswer(AccessOutcome.WrongPassword);
        }

        _limit.Succeeded(address);
        return new AccessAnswer(AccessOutcome.Granted);
    }

    /// <summary>Sets another password, for whoever knows the present one; all other browsers are signed out.</summary>
    /// <param name="keep">The session that stays.</param>
    /// <param name="present">The present password.</param>
    /// <param name="next">The one to be.</param>
    /// <param name="address">Where it is asked from.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<AccessAnswer> ChangePasswordAsync(long keep, string? present, string? next, IPAddress address, CancellationToken cancellationToken)
    {
        if (_limit.Wait(address) is var wait && wait > TimeSpan.Zero)
        {
            return new AccessAnswer(AccessOutcome.TooOften, Wait: wait);
        }

        if (_table.PasswordHash is not { } hash || !await IsPasswordAsync(hash, present, cancellationToken))
        {
            _limit.Failed(address);
            return new AccessAnswer(AccessOutcome.WrongPassword);
        }

        if (!IsLongEnough(next))
        {
            return new AccessAnswer(AccessOutcome.WeakPassword);
        }

        _table.ReplacePassword(await HashAsync(next!, cancellationToken), _time.GetUtcNow());
        EndOthers(keep);
        return new AccessAnswer(AccessOutcome.Granted);
    }

    /// <summary>The session that a browser's token names; null when it names none.</summary>
    public WebSession? Find(string? token, IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[TokenBytes];
        if (token is null || token.Length != 2 * TokenBytes || Convert.FromHexString(token, bytes, out _, out _) != System.Buffers.OperationStatus.Done
            || _table.Find(SHA256.HashData(bytes)) is not { } session)
        {
            return null;
        }

        var now = _time.GetUtcNow();
        if (now - session.Seen > EndsAfter)
        {
            _ = End(session.Id);
            return null;
        }

        if (now - session.Seen > SeenEvery)
        {
            _table.Seen(session.Id, now, Text(address));
        }

        return session;
    }

    /// <summary>Signs a browser out. False when it was not signed in.</summary>
    public bool End(long session)
    {
        var ended = _table.Remove(session);
        Ended?.Invoke(session);
        return ended;
    }

    /// <summary>Signs all browsers out but one.</summary>
    public void EndOthers(long keep)
    {
        foreach (var session in _table.Sessions())
        {
            if (session.Id != keep)
            {
                _ = End(session.Id);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _hashing.Dispose();

    private static string UsedCode(ClaimCode code) => "claim-code-used:" + code.Fingerprint;

    private static bool IsLongEnough(string? password) => password is { Length: >= MinPassword and <= MaxPassword };

    private static string Text(IPAddress address) => (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    private string Begin(IPAddress address, string? browser, FeedId? app = null)
    {
        var token = RandomNumberGenerator.GetBytes(TokenBytes);
        browser = string.IsNullOrWhiteSpace(browser) ? "" : browser.Length > MaxBrowserText ? browser[..MaxBrowserText] : browser;
        _ = _table.Add(SHA256.HashData(token), _time.GetUtcNow(), Text(address), browser, app);
        return Convert.ToHexStringLower(token);
    }

    private async Task<bool> IsPasswordAsync(string hash, string? password, CancellationToken cancellationToken)
    {
        if (password is not { Length: > 0 and <= MaxPassword })
        {
            return false;
        }

        await _hashing.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Sodium.VerifyPassword(hash, Encoding.UTF8.GetBytes(password)), cancellationToken);
        }
        finally
        {
            _hashing.Release();
        }
    }

    private async Task<string> HashAsync(string password, CancellationToken cancellationToken)
    {
        await _hashing.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Sodium.HashPassword(Encoding.UTF8.GetBytes(password), Passes, Memory), cancellationToken);
        }
        finally
        {
            _hashing.Release();
        }
    }
}
