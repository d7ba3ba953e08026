using Microsoft.Data.Sqlite;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage.Views;

/// <summary>How far the views have come.</summary>
/// <param name="IndexedBytes">Bytes of the log that are indexed.</param>
/// <param name="TotalBytes">Bytes of the log.</param>
/// <param name="Messages">Messages that are indexed.</param>
public readonly record struct ViewProgress(long IndexedBytes, long TotalBytes, long Messages);

/// <summary>
/// The views made from the message log: by id, type, time, link; contacts, abouts and pubs. One file, followed up by
/// itself, deletable at any time: what is missing, damaged, older, or of another log is made again.
/// </summary>
/// <remarks>
/// New messages are indexed in memory at once and written by the thousand (<see cref="WriteEvery"/>) or on closing, so that
/// a quiet box writes nothing but its log; after a crash the unwritten ones are read from the log again, in well under a second.
/// </remarks>
public sealed partial class MessageViews : IMessageViews, IFeedIndex, IAsyncDisposable
{
    /// <summary>After this many messages the views are written to the disk.</summary>
    public const int WriteEvery = 16384;

    private const int IndexAtOnce = 256;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    private readonly ViewTables _tables;
    private readonly IMessageLog _log;
    private readonly CancellationTokenSource _closing = new();
    private readonly List<Action<IReadOnlyList<ContactEdge>>> _contactFollowers = [];
    private Task _following = Task.CompletedTask;
    private MessageStore? _store;
    private TaskCompletionSource _advanced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Exception? _failure;
    private TaskCompletionSource _startedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _indexedTo;
    private long _writtenMessages;
    private bool _closed;

    private MessageViews(ViewTables tables, IMessageLog log)
    {
        _tables = tables;
        _log = log;
        _indexedTo = tables.IndexedTo;
        _writtenMessages = tables.Messages;
    }

    /// <inheritdoc/>
    public long IndexedTo => Volatile.Read(ref _indexedTo);

    /// <summary>The position up to which the views are on the disk; messages behind it are indexed in memory.</summary>
    public long WrittenTo => _tables.WrittenTo;

    /// <inheritdoc/>
    long IFeedIndex.IndexedTo => WrittenTo;

    /// <summary>How far the views have come.</summary>
    public ViewProgress Progress => new(IndexedTo, _log.End, _tables.Messages);

    /// <summary>What keeps the views from following the log, until it is overcome; null when nothing does.</summary>
    public Exception? Failure => _failure;

    /// <summary>Opens the file over a log, and empties it when it is not the work of this version on this log.</summary>
    /// <exception cref="SqliteException">The file cannot even be made: the disk is full or not writable.</exception>
    public static MessageViews Open(string path, IMessageLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var tables = new ViewTables(path);
        if (!IsOf(log, tables))
        {
            tables.Recreate();
        }

        return new MessageViews(tables, log);
    }

    /// <summary>Begins to follow what is appended to the store, on a thread of the pool.</summary>
    /// <param name="store">The store over the same log.</param>
    /// <param name="progress">Told now and then while there is much to catch up with.</param>
    public void Follow(MessageStore store, IProgress<ViewProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (_store is not null)
        {
            throw new InvalidOperationException("The views follow a store already.");
        }

        _store = store;
        _following = Task.Run(() => FollowAsync(store, progress, _closing.Token));
    }

    /// <summary>Completes when every message is indexed that is in the store now: a read then sees it.</summary>
    /// <exception cref="IOException">The views cannot follow, for now.</exception>
    public Task WhenCaughtUpAsync(CancellationToken cancellationToken) =>
        WaitUntilAsync((_store ?? throw new InvalidOperationException("The views follow no store yet.")).End, cancellationToken).AsTask();

    /// <inheritdoc/>
    public async ValueTask WaitUntilAsync(long position, CancellationToken cancellationToken)
    {
        while (true)
        {
            var advanced = Volatile.Read(ref _advanced);
            if (IndexedTo >= position)
            {
                return;
            }

            if (_failure is { } failure)
            {
                throw new IOException($"The views cannot follow the message log: {failure.Message}", failure);
            }

            await advanced.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Calls <paramref name="changed"/> with every edge there is, before this returns, and from then on with what each
    /// contact message says, in order. The calls hold up the indexing: be brief, and do not throw.
    /// </summary>
    /// <returns>Ends the calls when disposed.</returns>
    public IDisposable FollowContacts(Action<IReadOnlyList<ContactEdge>> changed)
    {
        ArgumentNullException.ThrowIfNull(changed);
        lock (_tables.Database.Gate)
        {
            changed(Guarded(ReadContacts));
            _contactFollowers.Add(changed);
        }

        return new Following(() =>
        {
            lock (_tables.Database.Gate)
            {
                _contactFollowers.Remove(changed);
            }
        });
    }

    /// <inheritdoc/>
    public void VisitPositions(Action<FeedId, int, long> visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        Guarded(() =>
        {
            foreach (var entry in _tables.Sequences.Written())
            {
                visit(_tables.Feeds[(int)(entry.Key >> 32)], (int)entry.Key, entry.Position);
            }

            return true;
        });
    }

    /// <summary>Stops following, writes what is pending and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        await _closing.CancelAsync();
        await _following;
        lock (_tables.Database.Gate)
        {
            try
            {
                _tables.Flush();
            }
            catch (Exception error) when (error is SqliteException or IOException)
            {
                // What is not written now is indexed again at the next start.
            }

            _tables.Dispose();
        }

        _closing.Dispose();
    }

    private static bool IsOf(IMessageLog log, ViewTables tables)
    {
        if (tables.Last is not { } last)
        {
            return true;
        }

        try
        {
            return tables.IndexedTo <= log.End && log.Read(last.Position) is var record
                && record.Message.Id == last.Id && record.End == tables.IndexedTo;
        }
        catch (Exception error) when (error is IOException or ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    private async Task FollowAsync(MessageStore store, IProgress<ViewProgress>? progress, CancellationToken closing)
    {
        while (!closing.IsCancellationRequested)
        {
            try
            {
                var startedOver = Volatile.Read(ref _startedOver);
                await await Task.WhenAny(store.WaitBeyondAsync(IndexedTo, closing).AsTask(), startedOver.Task);
                Index(store, progress, closing);
                _failure = null;
            }
            catch (OperationCanceledException) when (closing.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is SqliteException or IOException)
            {
                _failure = error;
                Advance();
                await StartOverAsync(error, closing);
            }
        }
    }

    private void Index(MessageStore store, IProgress<ViewProgress>? progress, CancellationToken closing)
    {
        var batch = new List<LogRecord>(IndexAtOnce);
        var edges = new List<ContactEdge>();
        var unreported = 0;
        foreach (var record in store.Scan(IndexedTo))
        {
            closing.ThrowIfCancellationRequested();
            batch.Add(record);
            if (batch.Count == IndexAtOnce)
            {
                if (!Index(batch, edges))
                {
                    return;
                }

                if (++unreported == WriteEvery / IndexAtOnce)
                {
                    progress?.Report(Progress);
                    unreported = 0;
                }
            }
        }

        Index(batch, edges);
        progress?.Report(Progress);
    }

    /// <returns>False when the views were emptied meanwhile and the batch is not what comes next.</returns>
    private bool Index(List<LogRecord> batch, List<ContactEdge> edges)
    {
        if (batch.Count == 0)
        {
            return true;
        }

        lock (_tables.Database.Gate)
        {
            if (batch[0].Position != _tables.IndexedTo)
            {
                return false;
            }

            foreach (var record in batch)
            {
                _tables.Add(record, edges);
            }

            if (_tables.Messages - _writtenMessages >= WriteEvery)
            {
                _tables.Flush();
                _writtenMessages = _tables.Messages;
            }

            if (edges.Count > 0)
            {
                foreach (var changed in _contactFollowers)
                {
                    changed(edges);
                }
            }

            Volatile.Write(ref _indexedTo, _tables.IndexedTo);
        }

        batch.Clear();
        edges.Clear();
        Advance();
        return true;
    }

    private void Advance()
    {
        var advanced = Interlocked.Exchange(ref _advanced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        advanced.SetResult();
    }

    /// <summary>Reads under the gate. What turns out damaged is thrown away, and made again behind the reader's back.</summary>
    private T Guarded<T>(Func<T> read)
    {
        lock (_tables.Database.Gate)
        {
            try
            {
                return read();
            }
            catch (Exception error) when (ViewDatabase.IsDamage(error))
            {
                _tables.Recreate();
                _writtenMessages = 0;
                Volatile.Write(ref _indexedTo, 0);
                Interlocked.Exchange(ref _startedOver, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
                throw new ViewDamagedException();
            }
        }
    }

    /// <summary>Goes back to what is written; to nothing when that is damaged; and waits a little when the disk is at fault.</summary>
    private async Task StartOverAsync(Exception error, CancellationToken closing)
    {
        try
        {
            lock (_tables.Database.Gate)
            {
                if (ViewDatabase.IsDamage(error))
                {
                    _tables.Recreate();
                }
                else
                {
                    _tables.Database.Rollback();
                    _tables.Load();
                }

                _writtenMessages = _tables.Messages;
                Volatile.Write(ref _indexedTo, _tables.IndexedTo);
            }

            if (!ViewDatabase.IsDamage(error))
            {
                await Task.Delay(RetryAfter, closing);
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
        catch (Exception again) when (again is SqliteException or IOException)
        {
            _failure = again;
            await Task.Delay(RetryAfter, closing).ContinueWith(static _ => { }, TaskScheduler.Default);
        }
    }

    private sealed class Following(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
