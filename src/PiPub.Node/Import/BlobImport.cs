using PiPub.Node.Blobs;
using PiPub.Storage.Import;

namespace PiPub.Node.Import;

/// <summary>
/// Copies blobs out of another program's directory, their hashes checked on the way. The rules for room are those for blobs
/// that peers send: on whose account each is, and that what is farther away goes first.
/// </summary>
internal sealed class BlobImport(BlobCollection blobs, BlobExchange exchange)
{
    private const int PieceBytes = 128 * 1024;

    /// <summary>Blobs that are new here.</summary>
    public long Added { get; private set; }

    /// <summary>Blobs that were here already.</summary>
    public long Known { get; private set; }

    /// <summary>Blobs that were left behind.</summary>
    public long Refused { get; private set; }

    /// <summary>Copies all that are missing.</summary>
    /// <param name="source">Where they are.</param>
    /// <param name="onDone">Told of the bytes of each blob that is done with; throws to end the copying.</param>
    /// <param name="cancellationToken">Ends the copying.</param>
    /// <exception cref="IOException">The source cannot be read, or the disk is failing.</exception>
    public async Task CopyAsync(LegacyDirectory source, Action<long> onDone, CancellationToken cancellationToken)
    {
        var piece = new byte[PieceBytes];
        foreach (var (id, path, size) in source.Blobs())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (blobs.Size(id) is not null)
            {
                Known++;
            }
            else
            {
                var (account, isMentioned) = exchange.AccountOf(id);
                using var room = blobs.TryReserve(id, size, account, out _);
                if (room is null)
                {
                    Refused++;
                }
                else
                {
                    try
                    {
                        await using var writer = blobs.BeginWrite(size);
                        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                        for (int length; (length = await file.ReadAsync(piece, cancellationToken)) > 0;)
                        {
                            await writer.WriteAsync(piece.AsMemory(0, length), cancellationToken);
                        }

                        _ = await blobs.CommitAsync(writer, id, account, isMentioned, cancellationToken);
                        Added++;
                    }
                    catch (InvalidDataException)
                    {
                        // Not what its name says: the other program's disk has damaged it, or it is still growing.
                        Refused++;
                    }
                }
            }

            onDone(size);
        }
    }
}
