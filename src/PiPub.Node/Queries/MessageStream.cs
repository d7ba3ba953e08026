using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;
using PiPub.Storage.Views;

namespace PiPub.Node.Queries;

/// <summary>
/// What every stream of messages does: first the old ones, then a marker, then the live ones as they are appended, without
/// a gap and without one twice.
/// </summary>
internal static class MessageStream
{
    /// <summary>Serves a stream.</summary>
    /// <param name="store">Where new messages appear.</param>
    /// <param name="views">What the old ones are found with, brought up to date first; null where the store itself tells.</param>
    /// <param name="options">Old, live, limit and marker.</param>
    /// <param name="old">Old messages in the order asked for, of those that end at or before the position given.</param>
    /// <param name="item">What to send for a message that was just appended; nothing, one thing or several.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="cancellationToken">The caller ended the stream.</param>
    public static async Task ServeAsync(
        MessageStore store,
        IMessageViews? views,
        StreamOptions options,
        Func<long, IEnumerable<RpcBody>> old,
        Func<LogRecord, IEnumerable<RpcBody>> item,
        RpcStream stream,
        CancellationToken cancellationToken)
    {
        var position = store.End;
        if (options.Old)
        {
            var left = options.Limit;
            if (left != 0)
            {
                if (views is not null)
                {
                    await views.WaitUntilAsync(position, cancellationToken);
                }

                foreach (var body in old(position))
                {
                    await stream.WriteAsync(body.Type, body.Bytes, cancellationToken);
                    if (--left == 0)
                    {
                        break;
                    }
                }
            }

            if (options.Live && options.Sync)
            {
                await stream.WriteAsync(MessageJson.Sync.Type, MessageJson.Sync.Bytes, cancellationToken);
            }
        }

        while (options.Live)
        {
            await store.WaitBeyondAsync(position, cancellationToken);
            foreach (var record in store.Scan(position))
            {
                position = record.End;
                foreach (var body in item(record))
                {
                    await stream.WriteAsync(body.Type, body.Bytes, cancellationToken);
                }
            }
        }
    }
}
