using System.Runtime.InteropServices;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;
using PiPub.Storage.Log;

namespace PiPub.Storage.Verification;

/// <summary>What a salvage kept and left.</summary>
/// <param name="Kept">Messages in the new log.</param>
/// <param name="Left">Whole messages that do not continue what is left of their feed; peers send them again.</param>
/// <param name="DamagedLog">Where the old log lies now, untouched.</param>
public sealed record SalvageReport(long Kept, long Left, string DamagedLog);

/// <summary>
/// The way out of a damaged log: a new one of all whole messages that still continue their feeds. What is missing then is
/// fetched from peers as for any feed that is behind. The old log is kept beside it.
/// </summary>
/// <remarks>
/// The box's own feed may end earlier than its last published message: publishing must wait until peers have sent it back,
/// as after any loss.
/// </remarks>
public static partial class LogSalvage
{
    private const int BatchMessages = 1000;
    private const int AtCurrentDirectory = -100; // AT_FDCWD
    private const uint Exchange = 2; // RENAME_EXCHANGE

    /// <summary>Makes the new log and puts it in the old one's place in one step. PiPub must not be running.</summary>
    /// <param name="data">The locked data directory.</param>
    /// <param name="cancellationToken">Stops before the exchange; nothing has changed then.</param>
    /// <exception cref="IOException">There is no room for a second log, or the disk is failing. Nothing has changed.</exception>
    public static async Task<SalvageReport> RunAsync(DataDirectory data, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(data);
        var work = Path.Combine(data.Path, "log.salvage");
        if (Directory.Exists(work))
        {
            Directory.Delete(work, recursive: true);
        }

        var (kept, left) = await CopyAsync(data.LogPath, work, cancellationToken);
        if (renameat2(AtCurrentDirectory, work, AtCurrentDirectory, data.LogPath, Exchange) != 0)
        {
            throw new IOException($"The salvaged log in {work} could not take the place of {data.LogPath}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }

        var damaged = Path.Combine(data.Path, $"log.damaged-{DateTime.UtcNow:yyyyMMddHHmmss}");
        Directory.Move(work, damaged);
        FileSync.Directory(data.Path);
        return new SalvageReport(kept, left, damaged);
    }

    private static async Task<(long Kept, long Left)> CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        await using var log = SegmentedMessageLog.Open(to);
        var tips = new Dictionary<FeedId, FeedTip>();
        var batch = new List<Message>();
        var (received, left) = (0L, 0L);
        foreach (var (record, _) in new LogInspector(from, end: null).Read())
        {
            if (record is null)
            {
                continue;
            }

            if (tips.GetValueOrDefault(record.Message.Author).Judge(record.Message) != FeedOrder.Next)
            {
                left++;
                continue;
            }

            if (batch.Count == BatchMessages || (batch.Count > 0 && received != record.ReceivedAt))
            {
                await log.AppendAsync(batch, received, cancellationToken);
                batch.Clear();
            }

            tips[record.Message.Author] = new FeedTip(record.Message.Sequence, record.Message.Id);
            batch.Add(record.Message);
            received = record.ReceivedAt;
        }

        await log.AppendAsync(batch, received, cancellationToken);
        return (log.Scan(0).LongCount(), left);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat2(int oldDirectory, string oldPath, int newDirectory, string newPath, uint flags);
}
