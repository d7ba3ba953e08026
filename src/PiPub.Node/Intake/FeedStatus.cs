using System.Collections.Concurrent;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Intake;

/// <summary>How a feed stands.</summary>
public enum FeedState
{
    /// <summary>Everything that anyone has told of is here.</summary>
    UpToDate,

    /// <summary>A peer has told of more than is here.</summary>
    Behind,

    /// <summary>The next message that was offered breaks a rule.</summary>
    Invalid,

    /// <summary>Two messages contradict each other; the feed is stopped.</summary>
    Forked,

    /// <summary>The owner blocks it; nothing of it is taken.</summary>
    Blocked,
}

/// <summary>How a feed stands, for a person to read.</summary>
/// <param name="Feed">The feed.</param>
/// <param name="State">In one word.</param>
/// <param name="Sequence">The newest message that is here.</param>
/// <param name="Seen">The highest sequence that any peer has told of.</param>
/// <param name="Words">In a sentence.</param>
public sealed record FeedStatus(FeedId Feed, FeedState State, int Sequence, int Seen, Sentence Words);

/// <summary>Knows how each feed stands.</summary>
public sealed class FeedStatuses(MessageStore store, ForkTable forks)
{
    // What strangers say is remembered of so many feeds at most.
    private const int MaxRemembered = 20_000;

    private readonly ConcurrentDictionary<FeedId, int> _seen = new();
    private readonly ConcurrentDictionary<FeedId, (int Sequence, string Reason)> _refused = new();

    /// <summary>Tells whether the owner blocks a feed; set by whoever knows the social graph.</summary>
    public Func<FeedId, bool> IsBlocked { get; set; } = static _ => false;

    /// <summary>A peer told that a feed has got so far.</summary>
    public void ReportSeen(FeedId feed, int sequence)
    {
        if (_seen.TryGetValue(feed, out var known) ? sequence > known : _seen.Count < MaxRemembered)
        {
            _seen[feed] = sequence;
        }
    }

    /// <summary>How a feed stands now.</summary>
    public FeedStatus Of(FeedId feed)
    {
        var sequence = store.Tip(feed).Sequence;
        var seen = Math.Max(sequence, _seen.GetValueOrDefault(feed));
        if (IsBlocked(feed))
        {
            return new(feed, FeedState.Blocked, sequence, seen, Sentence.Of($"blocked: nothing new of it is taken"));
        }

        if (forks.SequenceOf(feed) is > 0 and var fork)
        {
            return new(feed, FeedState.Forked, sequence, seen, Sentence.Of($"forked: two different messages claim the place {fork}, which happens when one key is used on two devices or an old backup; the feed stays at {sequence}"));
        }

        if (_refused.TryGetValue(feed, out var refused) && refused.Sequence == sequence + 1)
        {
            return new(feed, FeedState.Invalid, sequence, seen, Sentence.Of($"stopped at {sequence}: message {refused.Sequence}, as it came here, is not valid because {refused.Reason}"));
        }

        return seen > sequence
            ? new(feed, FeedState.Behind, sequence, seen, Sentence.Of($"behind: {sequence} of {seen} messages are here"))
            : new(feed, FeedState.UpToDate, sequence, seen, sequence == 0 ? Sentence.Of($"nothing of it is here yet") : Sentence.Of($"up to date at {sequence}"));
    }

    /// <summary>How each feed stands of which anything is here or has been refused.</summary>
    public IReadOnlyList<FeedStatus> All()
    {
        var all = new List<FeedStatus>();
        foreach (var (feed, _) in store.Tips())
        {
            all.Add(Of(feed));
        }

        foreach (var (feed, _) in _refused)
        {
            if (store.Tip(feed).Sequence == 0)
            {
                all.Add(Of(feed));
            }
        }

        return all;
    }

    /// <summary>Messages that peers have told of and that are still to come, of all feeds that are not stopped. No words are made for it: a box may keep ten thousand feeds.</summary>
    public long MessagesBehind()
    {
        var behind = 0L;
        foreach (var (feed, _) in store.Tips())
        {
            behind += BehindOf(feed);
        }

        foreach (var (feed, _) in _refused)
        {
            behind += store.Tip(feed).Sequence == 0 ? BehindOf(feed) : 0;
        }

        return behind;
    }

    /// <summary>How far one feed is behind. Nearly all are not, and are asked nothing further.</summary>
    private long BehindOf(FeedId feed) =>
        _seen.GetValueOrDefault(feed) > store.Tip(feed).Sequence && Of(feed) is { State: FeedState.Behind } status ? status.Seen - status.Sequence : 0;

    /// <summary>A message that claims a place in a feed was not valid.</summary>
    internal void Refused(FeedId feed, int sequence, string reason)
    {
        // Of interest is the first place where the feed might have gone on; whatever else a peer makes up is not remembered.
        var tip = store.Tip(feed).Sequence;
        if (feed.IsZero || sequence <= tip || (tip == 0 && _refused.Count >= MaxRemembered)
            || (_refused.TryGetValue(feed, out var first) && first.Sequence > tip && first.Sequence < sequence))
        {
            return;
        }

        _refused[feed] = (sequence, reason);
    }
}
