using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using PiPub.Node.Identity;
using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.LegacyLogs;
using PiPub.Storage.Disk;
using PiPub.Storage.Import;

namespace PiPub.Node.Import;

/// <summary>
/// Brings along what another Scuttlebutt program kept: its messages, blobs and addresses, and, where the owner wants it, its
/// identity. One import at a time; it runs in the node, whoever looks on.
/// </summary>
/// <remarks>
/// <para>All messages that verify are kept, also of feeds that nobody here follows: people bring their data. They enter by
/// the intake like those of any peer, many in one commit. What is here already is passed over, so that an import that was
/// interrupted is simply made again.</para>
/// <para>The identity comes last, when the messages are here: it is noted for the next start (<see cref="IdentityChange"/>), and
/// the box restarts.</para>
/// </remarks>
public sealed partial class Importer : IAsyncDisposable
{
    private const int MaxPasses = 8;
    private const long LookAtDiskEvery = 4 << 20;
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly ImportRoom _room;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ImportProgress _progress;
    private CancellationTokenSource? _cancel;
    private Task _running = Task.CompletedTask;
    private bool _isStopping;

    /// <summary>Reads what came of the last import.</summary>
    public Importer(ImportRoom room, TimeProvider time, ILogger<Importer> logger)
    {
        ArgumentNullException.ThrowIfNull(room);
        (_room, _time, _logger) = (room, time, logger);
        _progress = ImportJson.Parse(room.Results.Result);
    }

    /// <summary>Raised when <see cref="Progress"/> is another, at most twice a second while an import runs; on any thread.</summary>
    public event Action? Changed;

    /// <summary>How the import is doing that runs, or how the last one did.</summary>
    public ImportProgress Progress => Volatile.Read(ref _progress);

    /// <summary>Whether the box would give up an identity with which it has published something.</summary>
    public bool WouldReplaceIdentity => IdentityChange.HasPublished(_room.Messages, _room.Box);

    /// <summary>Begins an import, and returns.</summary>
    /// <exception cref="ImportRefusedException">It cannot be; nothing has happened, and the order is released.</exception>
    public void Start(ImportOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        try
        {
            Check(order);
            lock (_gate)
            {
                if (!_running.IsCompleted)
                {
                    throw new ImportRefusedException(Sentence.Of($"An import is under way already. Wait until it has ended, or stop it."));
                }

                if (_isStopping)
                {
                    throw new ImportRefusedException(Sentence.Of($"The box is about to stop. Begin again when it runs."));
                }

                _cancel = new CancellationTokenSource();
                var stop = _cancel.Token;
                Tell(new ImportProgress { State = ImportState.Running, Name = order.Name, TotalBytes = order.Source?.LogBytes ?? 0, Identity = order.Identity?.Id });
                _running = Task.Run(() => RunAsync(order, stop), CancellationToken.None);
            }
        }
        catch
        {
            order.Release?.Invoke();
            throw;
        }
    }

    /// <summary>Stops the import that runs, if one does. What has come stays.</summary>
    public void Cancel()
    {
        lock (_gate)
        {
            if (!_running.IsCompleted)
            {
                _cancel?.Cancel();
            }
        }
    }

    /// <summary>Stops, and waits until everything is let go of.</summary>
    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_gate)
        {
            _isStopping = true;
            running = _running;
            _cancel?.Cancel();
        }

        await running;
        _cancel?.Dispose();
    }

    private void Check(ImportOrder order)
    {
        if (order.Identity is not { } identity)
        {
            return;
        }

        if (DataReplacement.IsPending(_room.DataDirectory))
        {
            throw new ImportRefusedException(Sentence.Of($"A backup is put back at the next start. Restart the box first."));
        }

        if (identity.Id == _room.Box)
        {
            throw new ImportRefusedException(Sentence.Of($"The box already is the pub of that secret. Bring its messages along without it."));
        }

        if (!order.IsOldPubOff)
        {
            throw new ImportRefusedException(Sentence.Of($"Two programs that write with one key destroy its feed: each of them contradicts the other, and nobody follows it any longer. Confirm that the old pub will never run again with this key."));
        }

        if (!order.MayReplace && WouldReplaceIdentity)
        {
            throw new ImportRefusedException(Sentence.Of($"This box has published messages as itself already. With another identity it gives up its own for good. Confirm that it shall."));
        }
    }

    private async Task RunAsync(ImportOrder order, CancellationToken cancellationToken)
    {
        var tally = new ImportTally(_room.Messages);
        ImportProgress end;
        try
        {
            if (order.Source is { } source)
            {
                await ReadLogsAsync(source, tally, cancellationToken);
                await CopyBlobsAsync(source, cancellationToken);
                Tell(Progress with { Addresses = AddressImport.Offer(source, _room.Addresses) });
            }

            cancellationToken.ThrowIfCancellationRequested();
            end = Adopt(order, tally, Progress with { State = ImportState.Finished, Remaining = null });
        }
        catch (OperationCanceledException)
        {
            end = _isStopping ? Failed(ImportFailure.Stopped, "The box was stopped meanwhile. What had come is kept; begin again, and the rest comes.") : Progress with { State = ImportState.Cancelled, Identity = null };
        }
        catch (ObjectDisposedException)
        {
            end = Failed(ImportFailure.Stopped, "The box was stopped meanwhile. What had come is kept; begin again, and the rest comes.");
        }
        catch (NoRoomException)
        {
            end = Failed(ImportFailure.DiskFull, "The disk is full, or fails. What had come is kept. Make room, or take a larger disk, and begin again: the rest comes then.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            end = Failed(ImportFailure.Unreadable, $"The files could not be read to their end: {e.Message.TrimEnd('.')}. What had come is kept. Put the disk in again, if it was taken out, and begin again.");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(e);
            end = Failed(ImportFailure.Unreadable, $"Something failed that should not have: {e.Message}");
        }

        Finish(order, tally.Tell(end));
    }

    private async Task ReadLogsAsync(LegacyDirectory source, ImportTally tally, CancellationToken cancellationToken)
    {
        var logs = new LogImport(_room.Intake, tally, _room.IsBlocked);
        var pass = 0;
        do
        {
            var readers = new List<LegacyLogReader>();
            var pace = new ImportPace(_time);
            var before = 0L;
            var looked = 0L;
            var told = _time.GetTimestamp();
            foreach (var log in source.Logs)
            {
                try
                {
                    readers.Add(await logs.ReadAsync(log, OnRead, cancellationToken));
                }
                finally
                {
                    await tally.WhenJudgedAsync();
                }

                before += log.Length;
                CheckDisk();
                TellOf(null);

                void OnRead(LegacyLogReader reader)
                {
                    if (before + reader.Position - looked >= LookAtDiskEvery)
                    {
                        looked = before + reader.Position;
                        CheckDisk();
                    }

                    if (_time.GetElapsedTime(told) >= TellEvery)
                    {
                        told = _time.GetTimestamp();
                        TellOf(reader);
                    }
                }

                void TellOf(LegacyLogReader? reader)
                {
                    var done = before + (reader?.Position ?? 0);
                    var all = reader is null ? readers : [.. readers, reader];
                    Tell(tally.Tell(Progress with
                    {
                        DoneBytes = done,
                        Remaining = pace.Remaining(done, source.LogBytes),
                        Deleted = all.Sum(static one => one.Deleted),
                        Damages = all.Sum(static one => one.DamageCount),
                        DamageWords = [.. all.SelectMany(static one => one.Damages).Select(static one => $"At byte {one.Offset}, for {one.Length} bytes: {one.What}.").Take(LegacyLogReader.MaxDamagesKept)],
                    }));
                }
            }
        }
        while (tally.EndPass() && ++pass < MaxPasses);

        void CheckDisk()
        {
            if (tally.IsNotStored || _room.FreeBytes() < 0)
            {
                throw new NoRoomException();
            }
        }
    }

    private async Task CopyBlobsAsync(LegacyDirectory source, CancellationToken cancellationToken)
    {
        if (source.BlobsPath is null)
        {
            return;
        }

        var total = source.Blobs().Sum(static blob => blob.Size);
        var blobs = new BlobImport(_room.Blobs, _room.BlobExchange);
        var pace = new ImportPace(_time);
        var done = 0L;
        var told = _time.GetTimestamp();
        Tell(Progress with { Stage = ImportStage.Blobs, DoneBytes = 0, TotalBytes = total, Remaining = null });
        await blobs.CopyAsync(source, OnDone, cancellationToken);
        TellOf();

        void OnDone(long bytes)
        {
            done += bytes;
            if (_time.GetElapsedTime(told) >= TellEvery)
            {
                told = _time.GetTimestamp();
                TellOf();
            }
        }

        void TellOf() => Tell(Progress with
        {
            DoneBytes = done,
            Remaining = pace.Remaining(done, total),
            Blobs = blobs.Added,
            BlobsKnown = blobs.Known,
            BlobsRefused = blobs.Refused,
        });
    }

    /// <summary>Notes the identity for the next start; or, where the box is that pub already, that its feed is whole again.</summary>
    private ImportProgress Adopt(ImportOrder order, ImportTally tally, ImportProgress progress)
    {
        if (order.Identity is not { } identity)
        {
            if (order.IsComplete && tally.Has(_room.Box))
            {
                _ = _room.OwnFeed.Recovered();
            }

            return progress;
        }

        var held = _room.Messages.SequenceOf(identity.Id);
        try
        {
            IdentityChange.Prepare(_room.DataDirectory, _room.OwnFeedTable, identity, held, order.IsComplete);
            return progress with { Identity = identity.Id, IdentitySequence = held };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            return Failed(ImportFailure.Identity, $"The messages are here, but the secret could not be written down: {e.Message.TrimEnd('.')}. The box stays who it is.");
        }
    }

    private void Finish(ImportOrder order, ImportProgress end)
    {
        end = end with { EndedAt = _time.GetUtcNow() };
        try
        {
            order.Release?.Invoke();
            _room.Results.Result = ImportJson.ToText(end);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            LogFailed(e);
        }

        LogEnded(end.State, end.Added, end.Known, end.Refused);
        Tell(end);
        if (end is { State: ImportState.Finished, Identity: not null })
        {
            try
            {
                _room.Restart();
            }
            catch (RefusedException e)
            {
                Tell(end with { Failure = ImportFailure.Identity, Problem = $"The box takes the identity over when it starts again, which it could not just now. {e.Message}" });
            }
        }
    }

    private ImportProgress Failed(ImportFailure failure, string problem) =>
        Progress with { State = ImportState.Failed, Failure = failure, Problem = problem, Remaining = null, Identity = null };

    private void Tell(ImportProgress progress)
    {
        Volatile.Write(ref _progress, progress);
        Changed?.Invoke();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The import has ended ({State}): {Added} messages are new, {Known} were here, {Refused} were not taken.")]
    private partial void LogEnded(ImportState state, long added, long known, long refused);

    [LoggerMessage(Level = LogLevel.Error, Message = "An import failed.")]
    private partial void LogFailed(Exception e);

    private sealed class NoRoomException : Exception;
}
