using Microsoft.Extensions.Logging;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Intake;

/// <summary>
/// The one door through which messages enter the log, for replication and publishing alike: take what waits, verify it on
/// all cores, judge its order, commit it with one flush, tell the sources and the observers.
/// </summary>
/// <remarks>
/// While one batch is being flushed to the disk, the next is being verified. A lone message waits for nothing; of a stream that
/// trickles in, a batch is what comes within <see cref="IntakeOptions.FlushPause"/>. What cannot be stored is told as such and the door stays open; what was told as appended is safe.
/// Sources: SSB protocol guide, Feeds; ssb-validate 4.1.4; ssb-db2 8.1.0, add batches.
/// </remarks>
public sealed partial class MessageIntake : IAsyncDisposable
{
    private readonly MessageStore _store;
    private readonly ForkTable _forks;
    private readonly FeedStatuses _statuses;
    private readonly IntakeOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly IntakeQueue _queue;
    private readonly FeedOrderJudge _judge;
    private readonly IntakeCounters _counters = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private IAppendObserver[] _observers = [];
    private long? _flushedAt;
    private Task? _loop;

    /// <summary>Makes the intake; it takes nothing in before <see cref="Start"/>.</summary>
    public MessageIntake(MessageStore store, ForkTable forks, FeedStatuses statuses, IntakeOptions options, TimeProvider time, ILogger<MessageIntake> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        _store = store;
        _forks = forks;
        _statuses = statuses;
        _options = options;
        _time = time;
        _logger = logger;
        _queue = new IntakeQueue(options.MaxQueuedMessages, options.MaxQueuedBytes);
        _judge = new FeedOrderJudge(store, forks, new GapWindow(options.WindowPerFeed, options.WindowInTotal, options.WindowAge, time), time, logger);
    }

    /// <summary>How many messages have met which verdict since the start.</summary>
    public IntakeCounters Counters => _counters;

    /// <summary>Adds someone who is told of every commit from now on.</summary>
    public void Observe(IAppendObserver observer)
    {
        lock (_gate)
        {
            _observers = [.. _observers, observer];
        }
    }

    /// <summary>Begins to take messages in.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _loop ??= Task.Run(RunAsync);
        }
    }

    /// <summary>
    /// Submits a message as it came over the wire; completes when it has a place in the queue, which is at once unless the
    /// queue is full. What becomes of it is told to <paramref name="source"/>.
    /// </summary>
    /// <param name="source">Who brings it.</param>
    /// <param name="wireValue">
    /// The bare value (<see cref="ClassicFeed.TryUnwrap"/> unwraps others). The bytes are kept as they are and must not be changed afterwards.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting for room; the message was then not submitted.</param>
    /// <exception cref="ObjectDisposedException">The node is stopping.</exception>
    public ValueTask SubmitAsync(IMessageSource source, ReadOnlyMemory<byte> wireValue, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(source);
        _ = ClassicFeed.TryPeek(wireValue, out var author, out var sequence);
        if (wireValue.Length > IntakeOptions.MaxMessageBytes)
        {
            // It will be refused for its length, for which one byte too many is enough to hold on to.
            wireValue = wireValue[..(IntakeOptions.MaxMessageBytes + 1)].ToArray();
        }

        return _queue.AddAsync(new Submission(source, wireValue, author, sequence), cancellationToken);
    }

    /// <summary>Takes nothing more in, finishes what is being written, and tells the rest that it was not stored.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        await _stopping.CancelAsync();
        if (_loop is { } loop)
        {
            await loop;
        }
    }

    private async Task RunAsync()
    {
        // Two batches take turns: one is being flushed while the other is being verified.
        var batch = new IntakeBatch();
        var other = new IntakeBatch();
        var commit = Task.CompletedTask;
        while (await _queue.WaitAsync())
        {
            if (_flushedAt is { } flushed && _options.FlushPause - _time.GetElapsedTime(flushed) is var pause && pause > TimeSpan.Zero)
            {
                await _queue.GatherAsync(_options.FullFlush, pause, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            _queue.Take(batch.Submissions, _options.MaxBatchMessages, _options.MaxBatchBytes);
            if (_stopping.IsCancellationRequested)
            {
                await commit;
                batch.Begin();
                Tell(batch);
                batch.Clear();
                continue;
            }

            batch.Begin();
            Sift(batch);
            batch.Verify(_options.HmacKey);
            await commit;

            // Order is judged against what is stored, so only once the batch before is.
            Judge(batch);
            if (batch.ToAppend.Count > 0)
            {
                _flushedAt = _time.GetTimestamp();
            }

            var judged = batch;
            commit = Task.Run(() => CommitAsync(judged));
            (batch, other) = (other, batch);
        }

        await commit;
    }

    /// <summary>Sets aside what needs no verifying: messages of stopped feeds, and those that are here byte for byte.</summary>
    private void Sift(IntakeBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var submission = batch.Submissions[i];
            if (_forks.IsForked(submission.Author))
            {
                batch.Settle(i, IntakeVerdict.Forked);
            }
            else if (_store.PositionOf(submission.Author, submission.Sequence) is >= 0 and var position
                && IsHeld(position, submission.Wire.Span))
            {
                batch.Settle(i, IntakeVerdict.Known);
            }
        }
    }

    private bool IsHeld(long position, ReadOnlySpan<byte> wire)
    {
        try
        {
            return _store.Log.ReadValue(position).Span.SequenceEqual(wire);
        }
        catch (InvalidDataException)
        {
            // The log's own checks report damage; here it only means that nothing can be compared.
            return false;
        }
    }

    private void Judge(IntakeBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            if (batch.IsSettled(i))
            {
                continue;
            }

            var verdict = batch.Verified(i);
            if (verdict.Message is { } message)
            {
                batch.Settle(i, _judge.Place(message, batch.Submissions[i].Source.IsAuthor, batch.ToAppend));
            }
            else
            {
                Refuse(batch.Submissions[i], verdict.Reason!);
                batch.Settle(i, IntakeVerdict.Invalid);
            }
        }
    }

    private async Task CommitAsync(IntakeBatch batch)
    {
        IReadOnlyList<LogRecord>? records = null;
        var failed = false;
        if (batch.ToAppend.Count > 0)
        {
            try
            {
                records = await _store.AppendAsync(batch.ToAppend, _time.GetUtcNow().ToUnixTimeMilliseconds(), CancellationToken.None);
            }
            catch (Exception e)
            {
                failed = true;
                LogNotStored(e, batch.ToAppend.Count, e.Message);
                batch.NothingStored(_store);
            }
        }

        _judge.Committed(failed);
        Tell(batch);
        if (records is not null)
        {
            TellObservers(records);
        }

        batch.Clear();
        if (failed)
        {
            try
            {
                await Task.Delay(_options.DiskRetryDelay, _time, _stopping.Token);
            }
            catch (OperationCanceledException)
            {
                // Stopping: nothing is taken any more anyway.
            }
        }
    }

    private void Tell(IntakeBatch batch)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var submission = batch.Submissions[i];
            var verdict = batch.VerdictOf(i);
            _counters.Count(verdict);
            try
            {
                submission.Source.Judged(submission.Author, submission.Sequence, verdict);
            }
            catch (Exception e)
            {
                LogListenerFailed(e, submission.Source.GetType().Name);
            }
        }
    }

    private void TellObservers(IReadOnlyList<LogRecord> records)
    {
        foreach (var observer in _observers)
        {
            try
            {
                observer.Appended(records);
            }
            catch (Exception e)
            {
                LogListenerFailed(e, observer.GetType().Name);
            }
        }
    }

    private void Refuse(in Submission submission, string reason)
    {
        _statuses.Refused(submission.Author, submission.Sequence, reason);
        submission.Source.Refused(submission.Author, submission.Sequence, reason);
        if (_counters.MayLogInvalid(_time, out var unlogged))
        {
            LogInvalid(submission.Sequence, submission.Author, reason, unlogged);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused message {Sequence} of {Author}: {Reason}. ({Unlogged} more were refused since the last such line.)")]
    private partial void LogInvalid(int sequence, Scuttlebutt.Identities.FeedId author, string reason, int unlogged);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Count} messages could not be written to the log: {Why} They are not lost, peers will send them again; free some disk space if it is full.")]
    private partial void LogNotStored(Exception e, int count, string why);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Listener} failed when it was told about messages.")]
    private partial void LogListenerFailed(Exception e, string listener);
}
