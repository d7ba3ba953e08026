using PiPub.Node.Intake;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Publishing;

/// <summary>
/// Writes the box's own feed: one message after the other, through the same intake as everyone's.
/// </summary>
/// <remarks>
/// Timestamps grow with every message, as those of monotonic-timestamp 0.0.9 do: the clock's milliseconds, and a thousandth
/// more than the message before where the clock has not moved on or has been set back (the box has no battery for its clock).
/// </remarks>
public sealed class Publisher(KeyPair identity, MessageStore store, MessageIntake intake, OwnFeedGuard guard, HmacKey? hmacKey, TimeProvider time) : IPublisher, IMessageSource, IDisposable
{
    private const double SmallestStep = 0.001;

    private readonly SemaphoreSlim _one = new(1);
    private TaskCompletionSource<IntakeVerdict>? _verdict;

    /// <inheritdoc/>
    bool IMessageSource.IsAuthor => true;

    /// <summary>The feed that is written here: the box's own.</summary>
    public FeedId Feed => identity.Id;

    /// <summary>Signs and stores a message; it is safely on the disk when this returns.</summary>
    /// <param name="content">An object with a type, or a ciphertext as a string: JSON in UTF-8.</param>
    /// <param name="cancellationToken">Gives up before the message is signed; afterwards it is stored in any case.</param>
    /// <exception cref="PublishRefusedException">The content may not be published, or the own feed is not recovered.</exception>
    /// <exception cref="IOException">The disk is full or failing.</exception>
    public async ValueTask<LogRecord> PublishAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!guard.MayPublish(out var why))
            {
                throw new PublishRefusedException(why);
            }

            var message = Sign(content);
            var verdict = new TaskCompletionSource<IntakeVerdict>(TaskCreationOptions.RunContinuationsAsynchronously);
            _verdict = verdict;
            try
            {
                await intake.SubmitAsync(this, message.Value, CancellationToken.None);
            }
            catch (ObjectDisposedException e)
            {
                throw new PublishRefusedException(Sentence.Of($"The message was not published: the node is stopping. Publish it again when it runs."), e);
            }

            switch (await verdict.Task)
            {
                case IntakeVerdict.Appended:
                    guard.Published(message.Sequence);
                    return store.Log.Read(store.PositionOf(message.Author, message.Sequence));
                case IntakeVerdict.NotStored:
                    throw new IOException("The message was not published, because it could not be stored: the disk is full or failing, or the node is stopping. Free some space and publish it again.");
                default:
                    throw new PublishRefusedException(Sentence.Of($"The message was not published: the box's own feed has moved on meanwhile by a message from elsewhere. See whether its key is in use on another device."));
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <inheritdoc/>
    void IMessageSource.Judged(FeedId author, int sequence, IntakeVerdict verdict) => _verdict?.TrySetResult(verdict);

    private Message Sign(ReadOnlyMemory<byte> content)
    {
        var tip = store.Tip(identity.Id);
        try
        {
            return ClassicFeed.Create(identity, tip, NextTimestamp(tip), content, hmacKey);
        }
        catch (FormatException e)
        {
            throw new PublishRefusedException(e.Message, e);
        }
    }

    private double NextTimestamp(in FeedTip tip)
    {
        double now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (tip.Sequence == 0)
        {
            return now;
        }

        var last = store.Log.Read(store.PositionOf(identity.Id, tip.Sequence)).Message.Timestamp;
        return now > last ? now : Math.Max(last + SmallestStep, Math.BitIncrement(last));
    }
}
