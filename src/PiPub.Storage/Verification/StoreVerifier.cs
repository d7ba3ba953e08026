using System.Collections.Concurrent;
using System.Security.Cryptography;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Blobs;
using PiPub.Storage.Views;

namespace PiPub.Storage.Verification;

/// <summary>How far a verification has come.</summary>
/// <param name="Messages">Messages checked.</param>
/// <param name="LogBytes">Bytes of the log checked.</param>
/// <param name="Blobs">Blobs checked.</param>
public readonly record struct VerificationProgress(long Messages, long LogBytes, long Blobs);

/// <summary>
/// Checks all that is kept: every byte of the log, every message's id and signature, every feed's order, every blob's
/// hash, and that the views are in step. On all cores, in bounded memory, beside a running node or without one.
/// </summary>
/// <param name="hmacKey">The network's message HMAC key, if it has one.</param>
public sealed class StoreVerifier(HmacKey? hmacKey = null)
{
    private const int BatchMessages = 256;
    private const int HashBytes = 1 << 16;

    private readonly ConcurrentQueue<StoreDamage> _damages = new();
    private readonly Dictionary<FeedId, FeedTip> _tips = [];
    private long _damageCount;
    private long _messages;
    private long _checkedBytes;
    private long _blobs;
    private long _blobBytes;

    /// <summary>Checks a store. One verifier verifies once.</summary>
    /// <param name="logDirectory">The directory of the log's segments.</param>
    /// <param name="log">The log, when it could be opened; what is appended meanwhile is left out.</param>
    /// <param name="blobs">The blobs; null to leave them out.</param>
    /// <param name="views">The views, when they follow the log; null to leave them out.</param>
    /// <param name="progress">Told now and then.</param>
    /// <param name="cancellationToken">Ends the work early.</param>
    /// <exception cref="IOException">A file cannot be read at all.</exception>
    public async Task<StoreReport> VerifyAsync(
        string logDirectory,
        IMessageLog? log,
        FileBlobStore? blobs,
        MessageViews? views,
        IProgress<VerificationProgress>? progress,
        CancellationToken cancellationToken)
    {
        var end = log?.End;
        var inspector = new LogInspector(logDirectory, end);
        var options = new ParallelOptions { CancellationToken = cancellationToken, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(Batches(inspector, views, end), options, (batch, _) =>
        {
            foreach (var record in batch)
            {
                Check(record);
            }

            Interlocked.Add(ref _messages, batch.Count);
            Interlocked.Exchange(ref _checkedBytes, batch[^1].End);
            progress?.Report(Progress());
            return ValueTask.CompletedTask;
        });

        if (views is not null && end is { } verified)
        {
            await CheckViewsAsync(views, verified, cancellationToken);
        }

        if (blobs is not null)
        {
            await Parallel.ForEachAsync(blobs.List(), options, async (blob, stop) =>
            {
                await CheckAsync(blobs, blob.Id, blob.Size, stop);
                progress?.Report(Progress());
            });
        }

        return new StoreReport
        {
            Messages = _messages,
            Feeds = _tips.Count,
            LogBytes = inspector.Bytes,
            TornBytes = inspector.TornBytes,
            Blobs = _blobs,
            BlobBytes = _blobBytes,
            DamageCount = _damageCount,
            Damages = [.. _damages],
        };
    }

    private VerificationProgress Progress() => new(Interlocked.Read(ref _messages), Interlocked.Read(ref _checkedBytes), Interlocked.Read(ref _blobs));

    /// <summary>Reads on one thread at a time, judging the order of each feed; the caller's threads check the batches.</summary>
    private IEnumerable<List<LogRecord>> Batches(LogInspector inspector, MessageViews? views, long? end)
    {
        var batch = new List<LogRecord>(BatchMessages);
        foreach (var (record, damage) in inspector.Read())
        {
            if (record is null)
            {
                Report(damage!);
                continue;
            }

            Judge(record);
            batch.Add(record);
            if (batch.Count == BatchMessages)
            {
                if (views is not null && end is not null)
                {
                    CheckFound(views, batch[^1]);
                }

                yield return batch;
                batch = new List<LogRecord>(BatchMessages);
            }
        }

        if (batch.Count > 0)
        {
            yield return batch;
        }
    }

    private void Judge(LogRecord record)
    {
        var message = record.Message;
        var tip = _tips.GetValueOrDefault(message.Author);
        var order = tip.Judge(message);
        if (order != FeedOrder.Next)
        {
            Report(At(record, order switch
            {
                FeedOrder.Known => $"message {message.Sequence} of {message.Author} is there again; message {tip.Sequence} came before",
                FeedOrder.Gap => $"message {message.Sequence} of {message.Author} follows message {tip.Sequence}: those between are missing",
                _ => $"message {message.Sequence} of {message.Author} does not continue message {tip.Sequence}: the feed is forked",
            }));
        }

        if (order is FeedOrder.Next or FeedOrder.Gap)
        {
            _tips[message.Author] = new FeedTip(message.Sequence, message.Id);
        }
    }

    private void Check(LogRecord record)
    {
        if (!ClassicFeed.TryVerify(record.Message.Value, hmacKey, out var message, out var reason))
        {
            Report(At(record, $"message {record.Message.Sequence} of {record.Message.Author} is not valid: {reason}"));
        }
        else if (message with { Value = default } != record.Message with { Value = default })
        {
            Report(At(record, $"it holds message {message.Sequence} of {message.Author} with id {message.Id}, but is filed as message "
                + $"{record.Message.Sequence} of {record.Message.Author} with id {record.Message.Id}"));
        }
    }

    private void CheckFound(MessageViews views, LogRecord record)
    {
        if (views.IndexedTo >= record.End && views.ById(record.Message.Id)?.Position != record.Position)
        {
            Report(ViewDamage($"message {record.Message.Id} at position {record.Position} is not found by its id"));
        }
    }

    private async Task CheckViewsAsync(MessageViews views, long end, CancellationToken cancellationToken)
    {
        try
        {
            await views.WaitUntilAsync(end, cancellationToken);
            views.CheckRows();
            foreach (var (feed, tip) in _tips)
            {
                // Only up to what was read: the log may have grown since.
                var found = views.ByFeed(feed, reverse: true).FirstOrDefault(record => record.End <= end);
                if (found?.Message.Sequence != tip.Sequence || found.Message.Id != tip.Id)
                {
                    Report(ViewDamage($"message {tip.Sequence} of {feed} should be its newest, but they say {found?.Message.Sequence ?? 0}"));
                }
            }
        }
        catch (IOException error)
        {
            Report(ViewDamage(error.Message.TrimEnd('.')));
        }
    }

    private async ValueTask CheckAsync(FileBlobStore blobs, BlobId id, long size, CancellationToken cancellationToken)
    {
        var path = blobs.PathOf(id);
        try
        {
            if (!File.Exists(path) && blobs.Size(id) is not null)
            {
                Report(new StoreDamage(path, $"blob {id} is missing", "It is fetched again when someone wants it"));
            }

            await using var stream = blobs.OpenRead(id);
            if (stream is null)
            {
                return; // reported, or removed while we were looking
            }

            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var buffer = new byte[HashBytes];
            long length = 0;
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                length += read;
            }

            if (length != size || new BlobId(hash.GetHashAndReset()) != id)
            {
                Report(new StoreDamage(path, $"the {length:N0} bytes are not those of blob {id}",
                    "Stop PiPub and delete the file; the blob is fetched again when someone wants it"));
            }

            Interlocked.Increment(ref _blobs);
            Interlocked.Add(ref _blobBytes, length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Report(new StoreDamage(path, $"blob {id} cannot be read: {error.Message.TrimEnd('.')}", "Check the disk"));
        }
    }

    private void Report(StoreDamage damage)
    {
        if (Interlocked.Increment(ref _damageCount) <= StoreReport.MaxListed)
        {
            _damages.Enqueue(damage);
        }
    }

    private static StoreDamage At(LogRecord record, string what) => new($"log position {record.Position}", what, LogInspector.Salvage);

    private static StoreDamage ViewDamage(string what) =>
        new("views.sqlite", what, "Stop PiPub, delete views.sqlite and start again: it is made anew from the log");
}
