using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Node.Publishing;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Invites;

/// <summary>What a new invite shall be.</summary>
/// <param name="Uses">How many people may use it: 1 to 100,000.</param>
/// <param name="Note">A word on whom it is for, which becomes part of the public follow message; at most 500 characters.</param>
/// <param name="Expires">When it stops being good, or null.</param>
/// <param name="Hosts">Hosts to put into the codes in place of the box's own; empty for its own.</param>
/// <param name="WebSocketOnly">Only codes for clients in browsers.</param>
public sealed record InviteRequest(int Uses = 1, string? Note = null, DateTimeOffset? Expires = null, IReadOnlyList<string>? Hosts = null, bool WebSocketOnly = false);

/// <summary>A new invite. Its codes carry the seed, which is kept nowhere: this is the only time they can be shown.</summary>
/// <param name="Invite">What is remembered of it.</param>
/// <param name="Codes">One for each way to reach the box, the best first. Any one of them is the whole invite.</param>
public sealed record NewInvite(Invite Invite, IReadOnlyList<InviteCode> Codes);

/// <summary>
/// The invites of this box: made, listed, taken back, and used. Whoever uses one is followed by the box; the first
/// one to do so becomes its owner.
/// </summary>
/// <remarks>
/// References: ssb-invite 3.0.1 (create, use). Unlike there, the count cannot be overrun by simultaneous uses, the same feed
/// may ask again when the answer was lost, a use that came to nothing is given back, and a refusal says why.
/// </remarks>
public sealed class Invitations : IInviteKeys, IDisposable
{
    private const int MaxUses = 100_000;
    private const int MaxNote = 500;

    private readonly FeedId _box;
    private readonly InvitesTable _table;
    private readonly OwnerTable _owner;
    private readonly InviteAddresses _addresses;
    private readonly IPublisher _publisher;
    private readonly MessageStore _messages;
    private readonly IBoxContacts _contacts;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _oneAtATime = new(1);

    /// <summary>Joins the parts.</summary>
    /// <param name="box">The box's own identity.</param>
    /// <param name="table">Where invites are remembered.</param>
    /// <param name="owner">Where the owner is remembered.</param>
    /// <param name="addresses">The ways to reach the box.</param>
    /// <param name="publisher">Writes the follow message.</param>
    /// <param name="messages">Where the follow message is read again for a feed that asks again.</param>
    /// <param name="contacts">Whom the box follows and blocks: a blocked feed is not let in by an invite.</param>
    /// <param name="time">The clock.</param>
    public Invitations(
        FeedId box,
        InvitesTable table,
        OwnerTable owner,
        InviteAddresses addresses,
        IPublisher publisher,
        MessageStore messages,
        IBoxContacts contacts,
        TimeProvider time)
    {
        (_box, _table, _owner, _addresses) = (box, table, owner, addresses);
        (_publisher, _messages, _contacts, _time) = (publisher, messages, contacts, time);
    }

    /// <summary>Makes an invite.</summary>
    /// <exception cref="InviteException">What was asked for cannot be had; the message says why and what to do.</exception>
    public NewInvite Create(InviteRequest request, FeedId createdBy)
    {
        ArgumentNullException.ThrowIfNull(request);
        var now = _time.GetUtcNow();
        if (request.Uses is < 1 or > MaxUses)
        {
            throw new InviteException(Sentence.Of($"An invite is for 1 to {MaxUses} people, not {request.Uses}."));
        }

        if (request.Note?.Length > MaxNote)
        {
            throw new InviteException(Sentence.Of($"The note of an invite has at most {MaxNote} characters; this one has {request.Note.Length}."));
        }

        if (request.Expires <= now)
        {
            throw new InviteException(Sentence.Of($"The invite would have expired already. Give a time that is still to come."));
        }

        var addresses = AddressesFor(request);
        var key = KeyPair.Generate();
        var invite = new Invite(key.Id, request.Uses, 0, request.Note, now, request.Expires, null, createdBy);
        _table.Add(invite);
        var seed = new Bytes32(key.Seed);
        return new NewInvite(invite, [.. addresses.Select(a => new InviteCode(a.Transport, a.Host, a.Port, _box, seed))]);
    }

    /// <summary>All invites with their uses, the newest first.</summary>
    public IReadOnlyList<(Invite Invite, IReadOnlyList<InviteUse> Uses)> List() =>
        [.. _table.List().Select(invite => (invite, _table.UsesOf(invite.Key)))];

    /// <summary>The invite with this key, or null.</summary>
    public Invite? Find(FeedId key) => _table.Find(key);

    /// <summary>Takes an invite back; whoever came in by it stays. False when there is none, or it was taken back before.</summary>
    public bool Revoke(FeedId key) => _table.Revoke(key, _time.GetUtcNow());

    /// <inheritdoc/>
    public bool IsInvite(FeedId key) => _table.Contains(key);

    /// <summary>
    /// Uses an invite for a feed: the box follows it. The same feed may ask again and is answered with the same message.
    /// </summary>
    /// <returns>The follow message.</returns>
    /// <exception cref="InviteException">The invite is not good, or the feed is not welcome; the message says why.</exception>
    /// <exception cref="PublishRefusedException">The box does not publish now; the use was given back.</exception>
    /// <exception cref="IOException">Publishing failed; the use was given back.</exception>
    public async Task<LogRecord> UseAsync(FeedId key, FeedId feed, CancellationToken cancellationToken)
    {
        if (feed == _box)
        {
            throw new InviteException("feed to follow is the pub itself: an invite is for a person's feed.");
        }

        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return await FollowAsync(key, feed);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task<LogRecord> FollowAsync(FeedId key, FeedId feed)
    {
        if (_contacts.IsBlocking(feed))
        {
            throw new InviteException("this pub has blocked that feed. Only the pub's owner can undo that.");
        }

        // Followed already, by another invite or by hand: the invite stays good for somebody else.
        if (_contacts.IsFollowing(feed) && _table.Contains(key) && ReadOwn(_table.FollowOf(feed)) is { } followed)
        {
            return followed;
        }

        var (take, invite, sequence) = _table.TryTake(key, feed, _time.GetUtcNow());
        switch (take)
        {
            case InviteTake.Taken:
                break;
            case InviteTake.Again when ReadOwn(sequence) is { } known:
                return known;
            case InviteTake.Again:
                break;
            default:
                throw new InviteException(Refusal(take, invite));
        }

        LogRecord record;
        try
        {
            record = await _publisher.PublishAsync(FollowContent(feed, invite!.Note), CancellationToken.None);
        }
        catch when (take == InviteTake.Taken)
        {
            _table.Release(key, feed);
            throw;
        }

        _table.Complete(key, feed, record.Message.Sequence);
        _owner.TrySetFirst(feed, _time.GetUtcNow());
        return record;
    }

    private LogRecord? ReadOwn(int sequence)
    {
        var position = _messages.PositionOf(_box, sequence);
        return position < 0 ? null : _messages.Log.Read(position);
    }

    private List<InviteAddress> AddressesFor(InviteRequest request)
    {
        var own = _addresses.Best();
        var addresses = new List<InviteAddress>();
        if (request.Hosts is { Count: > 0 } hosts)
        {
            // JavaScript's "external": another host in front of the same port.
            var port = own.Count > 0 ? own[0].Port : InviteCode.DefaultPort;
            foreach (var host in hosts)
            {
                if (!InviteHost.IsUnderstoodByClients(host))
                {
                    throw new InviteException(Sentence.Of($"\"{host}\" cannot stand in an invite: clients accept an IP address, localhost, or a name with a dot in it."));
                }

                addresses.Add(new InviteAddress(InviteTransport.Net, host, port));
            }
        }
        else
        {
            addresses.AddRange(own);
        }

        if (request.WebSocketOnly)
        {
            addresses.RemoveAll(address => address.Transport is not (InviteTransport.Ws or InviteTransport.Wss));
        }

        return addresses.Count > 0
            ? addresses
            : throw new InviteException(request.WebSocketOnly
                ? Sentence.Verbatim("not a ws address: this pub does not listen for WebSocket connections, so that such an invite would lead nowhere.")
                : Sentence.Of($"no address available for creating an invite: this pub does not know how it can be reached. Set public-host to its name or IP address."));
    }

    private static string Refusal(InviteTake take, Invite? invite)
    {
        const string AskAgain = "Ask the person who gave it to you for a new one.";
        return take switch
        {
            InviteTake.Unknown => UnknownInvite,
            InviteTake.Revoked => $"invite has been taken back. {AskAgain}",
            InviteTake.Expired => string.Create(CultureInfo.InvariantCulture, $"invite has expired: it was good until {invite!.Expires:yyyy-MM-dd HH:mm} UTC. {AskAgain}"),
            _ => invite!.Total == 1
                ? $"invite has expired: it was for one person and has been used. {AskAgain}"
                : $"invite has expired: it was for {invite.Total} people and all of them have come. {AskAgain}",
        };
    }

    /// <summary>What a stranger reads whose key is no invite of this box.</summary>
    public const string UnknownInvite = "this pub does not know that invite: it is for another pub, or was damaged on its way. Ask the person who gave it to you for a new one.";

    private static ReadOnlyMemory<byte> FollowContent(FeedId feed, string? note)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "contact"u8);
            json.WriteString("contact"u8, feed.ToString());
            json.WriteBoolean("following"u8, true);
            json.WriteBoolean("pub"u8, true);
            if (!string.IsNullOrEmpty(note))
            {
                json.WriteString("note"u8, note);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <inheritdoc/>
    public void Dispose() => _oneAtATime.Dispose();
}
