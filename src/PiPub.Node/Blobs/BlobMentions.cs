using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Blobs;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Blobs;

/// <summary>
/// Follows the log and wants every blob that the messages of wanted feeds mention. Each message is looked at once in the
/// life of the box: how far it got is remembered.
/// </summary>
public sealed partial class BlobMentions(MessageStore messages, BlobExchange exchange, BlobTable table, IBlobAuthors authors, TimeProvider time, ILogger<BlobMentions> logger)
{
    private const int BatchRecords = 2000;
    private const int QuietRecords = 500;
    private const int MaxMentionsPerMessage = 64;

    /// <summary>Messages come in bursts, and one transaction for a burst spares the disk.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var position = table.Cursor;
        if (position > messages.End)
        {
            // Another log than before; ids that are held or wanted already cost nothing.
            position = 0;
        }

        var mentions = new List<(BlobId, FeedId)>();
        var unsaved = 0;
        try
        {
            while (true)
            {
                await messages.WaitBeyondAsync(position, cancellationToken);
                await Task.Delay(Gather, time, cancellationToken);
                do
                {
                    mentions.Clear();
                    var (read, next) = Look(position, mentions);
                    position = next;
                    unsaved += read;
                    if (mentions.Count > 0 || unsaved >= QuietRecords)
                    {
                        exchange.Mention(mentions, position);
                        unsaved = 0;
                    }
                }
                while (position < messages.End && !cancellationToken.IsCancellationRequested);
            }
        }
        catch (IOException error)
        {
            LogStopped(error.Message);
            throw;
        }
        finally
        {
            if (unsaved > 0)
            {
                table.Cursor = position;
            }
        }
    }

    private (int Read, long Next) Look(long position, List<(BlobId, FeedId)> mentions)
    {
        var read = 0;
        foreach (var record in messages.Scan(position))
        {
            position = record.End;
            var message = record.Message;
            var inMessage = 0;
            foreach (var id in new BlobLinks(message.Value.Span))
            {
                // Whoever writes may be far away or blocked; then what it mentions is not wanted either.
                if (inMessage == 0 && authors.HopsOf(message.Author) is null && !authors.IsOwn(message.Author))
                {
                    break;
                }

                if (++inMessage > MaxMentionsPerMessage)
                {
                    break;
                }

                mentions.Add((id, message.Author));
            }

            if (++read == BatchRecords)
            {
                break;
            }
        }

        return (read, position);
    }

    [LoggerMessage(LogLevel.Error, "Blobs that messages mention are no longer looked for: {Reason}")]
    private partial void LogStopped(string reason);
}
