using PiPub.Node.Intake;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.LegacyLogs;
using PiPub.Storage.Import;

namespace PiPub.Node.Import;

/// <summary>Hands the messages of another program's log to the intake, which judges them like those of any peer.</summary>
/// <param name="intake">The door to the log.</param>
/// <param name="tally">Counts the verdicts.</param>
/// <param name="isBlocked">Tells whether the box blocks a feed: nothing new of it is taken.</param>
internal sealed class LogImport(MessageIntake intake, ImportTally tally, Func<FeedId, bool> isBlocked)
{
    private const int ReadAhead = 256 * 1024;

    /// <summary>Reads one log to its end.</summary>
    /// <param name="log">The log.</param>
    /// <param name="onRead">Told, after every record, how far the reader has got; throws to end the reading.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The reader, for what it noticed.</returns>
    /// <exception cref="ObjectDisposedException">The node is stopping.</exception>
    public async Task<LegacyLogReader> ReadAsync(LegacyLogFile log, Action<LegacyLogReader> onRead, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(log.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, ReadAhead, FileOptions.SequentialScan);
        var reader = LegacyLogReader.Create(log.Kind, file);
        while (reader.TryRead(out var record))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (ClassicFeed.TryPeek(record.Value, out var author, out var sequence))
            {
                if (isBlocked(author))
                {
                    tally.Blocked(author, sequence);
                }
                else
                {
                    await SubmitAsync(record.Value, cancellationToken);
                }
            }
            else if (IsOtherFormat(record.Value.Span))
            {
                tally.OtherFormat();
            }
            else
            {
                await SubmitAsync(record.Value, cancellationToken);
            }

            onRead(reader);
        }

        onRead(reader);
        return reader;
    }

    /// <summary>Feeds of other formats are named by URIs. Sources: ssbc/sips 001; ssb-bendy-butt 1.0.2.</summary>
    private static bool IsOtherFormat(ReadOnlySpan<byte> value) => value.IndexOf("\"author\":\"ssb:feed/"u8) >= 0;

    private async ValueTask SubmitAsync(ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        tally.Submitted();
        try
        {
            await intake.SubmitAsync(tally, value, cancellationToken);
        }
        catch
        {
            tally.Withdrawn();
            throw;
        }
    }
}
