using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Intake;

/// <summary>
/// Decides where verified messages stand in their feeds: next, known, too early, or in contradiction to what is held.
/// Only signed messages come here, so a contradiction is proof that the author's key wrote both.
/// </summary>
internal sealed partial class FeedOrderJudge(MessageStore store, ForkTable forks, GapWindow window, TimeProvider time, ILogger logger)
{
    // The tips as they will be when the batch in hand is stored.
    private readonly Dictionary<FeedId, FeedTip> _tips = [];
    private readonly List<Message> _outOfWindow = [];

    /// <summary>Gives a message its place; what may be stored now is added to <paramref name="toAppend"/>.</summary>
    /// <param name="message">A verified message.</param>
    /// <param name="isAuthor">True when the author submits it here, and nobody else has seen it.</param>
    /// <param name="toAppend">What is stored with this batch.</param>
    public IntakeVerdict Place(Message message, bool isAuthor, List<Message> toAppend)
    {
        var feed = message.Author;
        if (forks.IsForked(feed))
        {
            return IntakeVerdict.Forked;
        }

        ref var tip = ref CollectionsMarshal.GetValueRefOrAddDefault(_tips, feed, out var known);
        if (!known)
        {
            tip = store.Tip(feed);
        }

        if (message.Sequence > tip.Sequence + 1)
        {
            return isAuthor ? IntakeVerdict.Outdated : Wait(message, tip);
        }

        if (message.Sequence <= tip.Sequence)
        {
            var held = message.Sequence == tip.Sequence && message.Id == tip.Id ? message : Held(feed, message.Sequence, toAppend);
            return held is null || held.Id == message.Id ? IntakeVerdict.Known
                : isAuthor ? IntakeVerdict.Outdated
                : Fork(held, message);
        }

        if (message.Previous != tip.Id)
        {
            return isAuthor ? IntakeVerdict.Outdated
                : Held(feed, tip.Sequence, toAppend) is { } before ? Fork(before, message)
                : IntakeVerdict.NotStored;
        }

        toAppend.Add(message);
        tip = new FeedTip(message.Sequence, message.Id);
        Continue(feed, ref tip, toAppend);
        return IntakeVerdict.Appended;
    }

    /// <summary>The batch in hand was stored or not. If not, what had waited for its predecessors goes on waiting.</summary>
    public void Committed(bool failed)
    {
        if (failed)
        {
            foreach (var message in _outOfWindow)
            {
                window.TryAdd(message, store.Tip(message.Author).Sequence);
            }
        }

        _outOfWindow.Clear();
        _tips.Clear();
    }

    /// <summary>Appends what has been waiting for the message that just got its place.</summary>
    private void Continue(FeedId feed, ref FeedTip tip, List<Message> toAppend)
    {
        while (window.Take(feed, tip.Sequence + 1) is { } next)
        {
            if (next.Previous != tip.Id)
            {
                Fork(toAppend[^1], next);
                return;
            }

            toAppend.Add(next);
            _outOfWindow.Add(next);
            tip = new FeedTip(next.Sequence, next.Id);
        }
    }

    private IntakeVerdict Wait(Message message, in FeedTip tip)
    {
        if (window.At(message.Author, message.Sequence) is { } waiting)
        {
            return waiting.Id == message.Id ? IntakeVerdict.Waiting : Fork(waiting, message);
        }

        return window.TryAdd(message, tip.Sequence) ? IntakeVerdict.Waiting : IntakeVerdict.TooFarAhead;
    }

    /// <summary>The message that has the place: out of the log, or out of the batch in hand.</summary>
    private Message? Held(FeedId feed, int sequence, List<Message> toAppend)
    {
        if (store.PositionOf(feed, sequence) is >= 0 and var position)
        {
            try
            {
                return store.Log.Read(position).Message;
            }
            catch (InvalidDataException)
            {
                // Damaged: nothing can be said about it; `pipub verify` reports it.
                return null;
            }
        }

        return toAppend.Find(message => message.Sequence == sequence && message.Author == feed);
    }

    private IntakeVerdict Fork(Message held, Message other)
    {
        var feed = held.Author;
        window.Drop(feed);
        LogFork(feed, held.Sequence, held.Id, other.Id);
        try
        {
            forks.Add(new ForkProof(feed, held.Sequence, held.Value, other.Value, time.GetUtcNow().ToUnixTimeMilliseconds()));
        }
        catch (SqliteException e)
        {
            LogProofNotKept(e, feed);
        }

        return IntakeVerdict.Forked;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Feed {Feed} has forked at {Sequence}: {Held} is here, and {Other} contradicts it. The feed is stopped, the proof is kept.")]
    private partial void LogFork(FeedId feed, int sequence, MessageId held, MessageId other);

    [LoggerMessage(Level = LogLevel.Error, Message = "The proof that {Feed} has forked could not be written; the feed is stopped until the next start.")]
    private partial void LogProofNotKept(Exception e, FeedId feed);
}
