using System.Diagnostics.CodeAnalysis;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Publishing;

/// <summary>
/// Keeps the box from forking its own feed: with its <c>secret</c> at hand but not its own latest messages, it must not
/// publish. Two different messages of one sequence can never be taken back, and peers stop following such a feed.
/// </summary>
/// <remarks>
/// <para>A feed whose key was created in this data directory is free at once. Any other must first be recovered: its messages
/// come back from peers, and it is free when so many different peers as are required have told a sequence and all that any
/// of them has told of is here; or when the owner says so: of a log that was brought along (<see cref="Recovered"/>), or in spite of
/// what is missing (<see cref="Override"/>). It is barred again when the log holds less than this directory
/// remembers.</para>
/// <para>After a backup was put back (or the log was lost) this directory knows how far the feed had got at least. Then only
/// peers that hold as much count, and where there is but one of them, as in a home with one phone, it is enough after
/// <see cref="LonePatience"/>: others have had the time to come and tell of more.</para>
/// <para>What a peer tells is a claim. Of a free feed (where an old backup may have been put back) a claim of more than is
/// here bars for <see cref="Patience"/>, in which the messages must begin to arrive; a peer that only talks is not believed
/// again. So a stranger cannot keep the box from publishing.</para>
/// <para>Sources: ssb-server issue 410, manyverse issue 111, patchwork issue 1292; scuttlebutt forks as the field met them.</para>
/// </remarks>
public sealed class OwnFeedGuard
{
    // The sequence is noted at the first message and every so many: enough to notice a lost log, cheap on an SD card.
    private const int NoteEvery = 32;

    // Who is not believed any more; with so many liars, nobody is.
    private const int MaxDisbelieved = 1024;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly FeedId _own;
    private readonly MessageStore _store;
    private readonly ForkTable _forks;
    private readonly OwnFeedTable _table;
    private readonly int _requiredPeers;
    private readonly HashSet<FeedId> _witnesses = [];
    private readonly HashSet<FeedId> _disbelieved = [];
    private bool _isFree;
    private bool _isOverridden;
    private int _reached;
    private int _told;
    private FeedId _toldBy;
    private long _lastProgress;
    private long _firstWitness;
    private int _lastTip;

    /// <summary>Reads what this directory remembers.</summary>
    /// <param name="own">The box's own feed.</param>
    /// <param name="store">The messages that are here.</param>
    /// <param name="forks">The feeds that have forked.</param>
    /// <param name="table">Where it is remembered whether the feed is free.</param>
    /// <param name="time">Tells how long a claim has been waiting for its proof.</param>
    /// <param name="requiredPeers">How many peers must have told how far the feed has got before it counts as recovered.</param>
    public OwnFeedGuard(FeedId own, MessageStore store, ForkTable forks, OwnFeedTable table, TimeProvider time, int requiredPeers = 2)
    {
        ArgumentNullException.ThrowIfNull(table);
        _own = own;
        _store = store;
        _forks = forks;
        _table = table;
        _time = time;
        _requiredPeers = requiredPeers;
        ArgumentNullException.ThrowIfNull(store);
        (_isFree, _reached) = table.Read(own);

        // The log has been lost or replaced: what is remembered is a lower bound, so peers must tell the rest.
        _isFree &= _reached <= store.Tip(own).Sequence;
    }

    /// <summary>How long a claim about a free feed bars it while no message of it arrives.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

    /// <summary>How long the only peer that holds the feed has to wait for others that may hold more of it.</summary>
    public static TimeSpan LonePatience { get; } = TimeSpan.FromMinutes(10);

    /// <summary>True while the feed is being recovered: how far it has got is still to be told by peers.</summary>
    public bool IsRecovering
    {
        get
        {
            lock (_gate)
            {
                return !_isFree;
            }
        }
    }

    /// <summary>
    /// Whose word can bar a free feed: everyone's, unless whoever knows the social graph narrows it. While the feed is being
    /// recovered everyone's word counts, for the graph may be lost with the log.
    /// </summary>
    public Func<FeedId, bool> IsWitness { get; set; } = static _ => true;

    /// <summary>Why the clock cannot be believed: a message carries its time for good. Null when it can.</summary>
    public Func<Sentence?> ClockProblem { get; set; } = static () => null;

    /// <summary>Tells that the box's key was created in this data directory just now: nobody can hold messages of it.</summary>
    public void CreatedHere()
    {
        lock (_gate)
        {
            Free(0);
        }
    }

    /// <summary>
    /// The owner takes the responsibility: whatever is missing is given up, and the feed continues after what is here.
    /// </summary>
    public void Override()
    {
        lock (_gate)
        {
            (_told, _isOverridden) = (0, true);
            Free(_store.Tip(_own).Sequence);
        }
    }

    /// <summary>
    /// The owner has brought the feed's own log and says that nothing was published after it: what is here counts as all of it,
    /// unless more is known of. False when it is, or when nothing of the feed is here.
    /// </summary>
    public bool Recovered()
    {
        lock (_gate)
        {
            var tip = _store.Tip(_own).Sequence;
            if (tip == 0 || _told > tip || _reached > tip)
            {
                return false;
            }

            Free(tip);
            return true;
        }
    }

    /// <summary>
    /// A peer has told how far it holds the box's own feed (an EBT note, a clock). Zero and less tell nothing: a peer that has
    /// never seen the feed says so too.
    /// </summary>
    public void ReportRemoteClock(FeedId peer, int sequence)
    {
        if (sequence <= 0 || peer == _own)
        {
            return;
        }

        lock (_gate)
        {
            if (_isOverridden || (_isFree && (_disbelieved.Contains(peer) || _disbelieved.Count >= MaxDisbelieved || !IsWitness(peer))))
            {
                return;
            }

            if (sequence > _told)
            {
                if (_told <= _store.Tip(_own).Sequence)
                {
                    // The first to tell of more than is here; who raises it later does not make the wait longer.
                    _lastProgress = _time.GetTimestamp();
                }

                (_told, _toldBy) = (sequence, peer);
            }

            if (!_isFree && sequence >= _reached && _witnesses.Count < _requiredPeers && _witnesses.Add(peer) && _witnesses.Count == 1)
            {
                _firstWitness = _time.GetTimestamp();
            }
        }
    }

    /// <summary>Tells whether the box may publish now, and if not, why and what to do, in words for its owner.</summary>
    public bool MayPublish([NotNullWhen(false)] out Sentence? why)
    {
        if (ClockProblem() is { } clock)
        {
            why = clock;
            return false;
        }

        lock (_gate)
        {
            var tip = _store.Tip(_own).Sequence;
            if (_forks.SequenceOf(_own) is > 0 and var fork)
            {
                why = Sentence.Of($"The box's own feed has forked at {fork}: its key is in use on another device, or an old backup was restored. Peers no longer follow it. The box needs a new identity.");
                return false;
            }

            if (_told > tip && !IsIdleTalk(tip))
            {
                why = Sentence.Of($"The box's own feed is not complete here: {tip} of the {_told} messages that peers hold have come back so far. Publishing now would fork it. Wait until they have arrived, or, if you know that they are gone for good, use `pipub publish --give-up-missing`.");
                return false;
            }

            if (_reached > tip)
            {
                why = Sentence.Of($"The box has published {_reached} messages, but only {tip} of them are here: the log has been lost or replaced. Publishing now would fork its feed. Connect to peers that follow the box so that they come back, or, if you know that they are gone for good, use `pipub publish --give-up-missing`.");
                return false;
            }

            if (!_isFree && (tip == 0 || !HasWitnesses()))
            {
                why = _reached > 0
                    ? Sentence.Of($"The box has its feed back as far as it was noted down, {_reached} messages, but it may have published more since, and publishing now could fork its feed. {_witnesses.Count} of {_requiredPeers} peers that hold the feed have told how far it has got; one alone is enough after ten minutes. Open the app of somebody who follows the box, or, if you know that nothing is missing, use `pipub publish --give-up-missing`.")
                    : Sentence.Of($"The box has a key that was not created here, so it may have published before, and publishing now could fork its feed. {_witnesses.Count} of {_requiredPeers} peers have told how far the feed has got. Connect to peers that follow the box, or, if the key has never been used elsewhere, use `pipub publish --give-up-missing`.");
                return false;
            }

            if (!_isFree)
            {
                Free(tip);
            }

            why = null;
            return true;
        }
    }

    /// <summary>A message of the own feed has been stored.</summary>
    internal void Published(int sequence)
    {
        lock (_gate)
        {
            if (_reached == 0 || sequence >= _reached + NoteEvery)
            {
                Free(sequence);
            }
        }
    }

    private bool HasWitnesses() =>
        _witnesses.Count >= _requiredPeers || (_reached > 0 && _witnesses.Count > 0 && _time.GetElapsedTime(_firstWitness) >= LonePatience);

    /// <summary>True when a claim about a free feed has been waiting for its proof for too long; it is then forgotten.</summary>
    private bool IsIdleTalk(int tip)
    {
        if (tip != _lastTip)
        {
            (_lastTip, _lastProgress) = (tip, _time.GetTimestamp());
        }

        if (!_isFree || _time.GetElapsedTime(_lastProgress) < Patience)
        {
            return false;
        }

        _disbelieved.Add(_toldBy);
        _told = 0;
        return true;
    }

    private void Free(int reached)
    {
        _table.Write(_own, isFree: true, reached);
        (_isFree, _reached) = (true, reached);
    }
}
