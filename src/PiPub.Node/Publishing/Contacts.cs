using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using PiPub.Node.Queries;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Publishing;

/// <summary>
/// What the box says publicly of other feeds: that it follows them, or blocks them, or neither. The last message about a feed
/// counts, and the social graph follows the log, so a contact message published in any other way does the same.
/// </summary>
/// <remarks>Source: ssb-friends 5.1.7 (follow, block), contact messages.</remarks>
/// <param name="publisher">Writes the messages.</param>
/// <param name="box">The box's own feed, which neither follows nor blocks itself.</param>
public sealed class Contacts(IPublisher publisher, FeedId box)
{
    /// <summary>Offers <c>friends.follow</c> and <c>friends.block</c> to the owner's tools.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Async("friends.follow", RpcCallers.Owner, (request, token) => AnswerAsync(request, "follow", FollowAsync, token));
        methods.Async("friends.block", RpcCallers.Owner, (request, token) => AnswerAsync(request, "block", (feed, block, cancellation) => BlockAsync(feed, block, Reason(request), cancellation), token));
    }

    /// <summary>Follows a feed, which ends a block too; or follows it no more.</summary>
    /// <exception cref="PublishRefusedException">The box does not publish now, or the feed is its own.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public ValueTask<LogRecord> FollowAsync(FeedId feed, bool follow, CancellationToken cancellationToken) =>
        PublishAsync(feed, "following"u8, follow, null, cancellationToken);

    /// <summary>Blocks a feed, which ends a follow too; or blocks it no more. The reason, if there is one, is public.</summary>
    /// <exception cref="PublishRefusedException">The box does not publish now, or the feed is its own.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public ValueTask<LogRecord> BlockAsync(FeedId feed, bool block, string? reason, CancellationToken cancellationToken) =>
        PublishAsync(feed, "blocking"u8, block, reason, cancellationToken);

    private static string? Reason(RpcRequest request) =>
        request.Arg(1) is { ValueKind: JsonValueKind.Object } options && options.TryGetProperty("reason"u8, out var reason) && reason.ValueKind == JsonValueKind.String
            ? reason.GetString()
            : null;

    private ValueTask<LogRecord> PublishAsync(FeedId feed, ReadOnlySpan<byte> what, bool state, string? reason, CancellationToken cancellationToken)
    {
        if (feed == box)
        {
            throw new PublishRefusedException(Sentence.Of($"This is the box's own feed: it neither follows nor blocks itself."));
        }

        var buffer = new ArrayBufferWriter<byte>(160);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "contact"u8);
            json.WriteString("contact"u8, feed.ToString());
            json.WriteBoolean(what, state);
            if (reason is not null)
            {
                json.WriteString("reason"u8, reason);
            }

            json.WriteEndObject();
        }

        return publisher.PublishAsync(buffer.WrittenMemory, cancellationToken);
    }

    private static async ValueTask<RpcBody> AnswerAsync(
        RpcRequest request,
        string name,
        Func<FeedId, bool, CancellationToken, ValueTask<LogRecord>> publish,
        CancellationToken cancellationToken)
    {
        var argument = request.Arg(0);
        if (argument.ValueKind != JsonValueKind.String || !FeedId.TryParse(argument.GetString(), out var feed))
        {
            throw new RpcException($"{name}() requires a feedId, got {(argument.ValueKind == JsonValueKind.Undefined ? "undefined" : argument.GetRawText())}");
        }

        var options = request.Arg(1);
        if (options.ValueKind == JsonValueKind.Object && options.TryGetProperty("recps"u8, out var recipients) && recipients.ValueKind != JsonValueKind.Null)
        {
            throw new RpcException($"{name}() in private is not offered: the box's contacts are public.");
        }

        var state = options.ValueKind != JsonValueKind.Object || !options.TryGetProperty("state"u8, out var given) || given.ValueKind == JsonValueKind.True;
        try
        {
            return MessageJson.Format(await publish(feed, state, cancellationToken));
        }
        catch (Exception refusal) when (refusal is PublishRefusedException or IOException)
        {
            throw new RpcException(refusal.Message, refusal);
        }
    }
}
