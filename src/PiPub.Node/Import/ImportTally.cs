using System.Runtime.InteropServices;
using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Import;

/// <summary>Counts what the intake says to the messages of an import, and knows when it has spoken to all.</summary>
internal sealed class ImportTally(MessageStore store) : IMessageSource
{
    private const int MaxTroubles = 10_000;
    private const int MaxTroublesTold = 100;
    private const int MaxFeeds = 200_000;
    private const int MaxWaiting = 100_000;

    private readonly Lock _gate = new();
    private readonly HashSet<FeedId> _feeds = [];
    private readonly Dictionary<FeedId, FeedTrouble> _troubles = [];
    private readonly Dictionary<FeedId, int> _tooFarAhead = [];
    private readonly List<(FeedId Feed, int Sequence)> _waiting = [];
    private readonly Dictionary<FeedId, (int Sequence, string Reason)> _reasons = [];
    private TaskCompletionSource? _judgedAll;
    private FeedId _last;
    private long _pending;
    private long _refused;

    public long Added { get; private set; }

    public long Known { get; private set; }

    public long OtherFormats { get; private set; }

    /// <summary>The disk has refused messages, or the node is stopping.</summary>
    public bool IsNotStored { get; private set; }

    /// <summary>A message has been submitted.</summary>
    public void Submitted() => Interlocked.Increment(ref _pending);

    /// <summary>A message was not submitted after all.</summary>
    public void Withdrawn() => Settled();

    /// <summary>Completes when there is a verdict on all that was submitted. Nothing may be submitted meanwhile.</summary>
    public async Task WhenJudgedAsync()
    {
        var judgedAll = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _judgedAll = judgedAll;
            if (Interlocked.Read(ref _pending) == 0)
            {
                judgedAll.TrySetResult();
            }
        }

        await judgedAll.Task;
        lock (_gate)
        {
            _judgedAll = null;
        }
    }

    /// <summary>
    /// Looks which of those that came too early have joined their feeds meanwhile. True when reading the log once more would
    /// bring further ones.
    /// </summary>
    public bool EndPass()
    {
        lock (_gate)
        {
            var waiting = _waiting.ToArray();
            _waiting.Clear();
            foreach (var (feed, sequence) in waiting)
            {
                if (store.PositionOf(feed, sequence) >= 0)
                {
                    Added++;
                    Keep(feed);
                }
                else
                {
                    Trouble(feed, FeedTroubleKind.Gap, sequence, "");
                }
            }

            var wouldBring = false;
            foreach (var (feed, sequence) in _tooFarAhead)
            {
                wouldBring |= sequence <= store.SequenceOf(feed) + 1;
            }

            if (wouldBring)
            {
                // What is counted now is counted again.
                _refused = 0;
                Known = -Added;
                _troubles.Clear();
                OtherFormats = 0;
            }

            _tooFarAhead.Clear();
            return wouldBring;
        }
    }

    /// <summary>Whether messages of a feed were among those that are here now.</summary>
    public bool Has(FeedId feed)
    {
        lock (_gate)
        {
            return _feeds.Contains(feed);
        }
    }

    /// <summary>A message is of another feed format.</summary>
    public void OtherFormat() => OtherFormats++;

    /// <summary>The box blocks the author.</summary>
    public void Blocked(FeedId author, int sequence)
    {
        lock (_gate)
        {
            Trouble(author, FeedTroubleKind.Blocked, sequence, "");
        }
    }

    /// <summary>The counts, written into a progress.</summary>
    public ImportProgress Tell(ImportProgress progress)
    {
        lock (_gate)
        {
            return progress with
            {
                Added = Added,
                Known = Math.Max(0, Known),
                Feeds = _feeds.Count,
                Refused = _refused,
                OtherFormats = OtherFormats,
                Troubles = [.. _troubles.Values.Take(MaxTroublesTold)],
            };
        }
    }

    void IMessageSource.Refused(FeedId author, int sequence, string reason)
    {
        lock (_gate)
        {
            if (_reasons.Count < MaxTroubles)
            {
                _ = _reasons.TryAdd(author, (sequence, reason));
            }
        }
    }

    void IMessageSource.Judged(FeedId author, int sequence, IntakeVerdict verdict)
    {
        lock (_gate)
        {
            switch (verdict)
            {
                case IntakeVerdict.Appended:
                    Added++;
                    Keep(author);
                    break;
                case IntakeVerdict.Known:
                    Known++;
                    Keep(author);
                    break;
                case IntakeVerdict.Waiting when _waiting.Count < MaxWaiting:
                    _waiting.Add((author, sequence));
                    break;
                case IntakeVerdict.Waiting:
                    Trouble(author, FeedTroubleKind.Gap, sequence, "");
                    break;
                case IntakeVerdict.TooFarAhead:
                    ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(_tooFarAhead, author, out var known);
                    first = known ? Math.Min(first, sequence) : sequence;
                    Trouble(author, FeedTroubleKind.Gap, sequence, "");
                    break;
                case IntakeVerdict.Forked:
                    Trouble(author, FeedTroubleKind.Forked, sequence, "");
                    break;
                case IntakeVerdict.Invalid:
                    Trouble(author, FeedTroubleKind.Invalid, sequence, _reasons.TryGetValue(author, out var why) && why.Sequence == sequence ? why.Reason : "");
                    break;
                default:
                    IsNotStored = true;
                    break;
            }
        }

        Settled();
    }

    private void Settled()
    {
        if (Interlocked.Decrement(ref _pending) == 0)
        {
            lock (_gate)
            {
                _judgedAll?.TrySetResult();
            }
        }
    }

    private void Keep(FeedId feed)
    {
        if (feed != _last && _feeds.Count < MaxFeeds)
        {
            _last = feed;
            _ = _feeds.Add(feed);
        }
    }

    private void Trouble(FeedId feed, FeedTroubleKind kind, int sequence, string reason)
    {
        _refused++;
        if (_troubles.TryGetValue(feed, out var trouble))
        {
            // The first fault is what the feed stopped at; what comes after it is missing something in any case.
            var firstOfKind = kind == trouble.Kind ? Math.Min(sequence, trouble.Sequence) : trouble.Sequence;
            _troubles[feed] = trouble with { Count = trouble.Count + 1, Sequence = firstOfKind };
        }
        else if (_troubles.Count < MaxTroubles)
        {
            _troubles.Add(feed, new FeedTrouble(feed, kind, sequence, 1, reason));
        }
    }
}
