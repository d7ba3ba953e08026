using PiPub.Scuttlebutt.Identities;

namespace PiPub.Storage;

/// <summary>
/// Where blobs are kept. A blob is there whole and with the right hash, or not at all.
/// What may stay and what must go (quotas, pins) is decided above; this room stores and counts.
/// </summary>
public interface IBlobStore : IAsyncDisposable
{
    /// <summary>Bytes kept in all.</summary>
    long TotalBytes { get; }

    /// <summary>The size in bytes of a blob that is held, or null. The empty blob is always held.</summary>
    long? Size(BlobId id);

    /// <summary>Opens a held blob for reading, or null.</summary>
    Stream? OpenRead(BlobId id);

    /// <summary>
    /// Begins to take in a blob. Nothing appears until the writer commits.
    /// </summary>
    /// <param name="maxBytes">More than this ends the writing with an <see cref="InvalidDataException"/>.</param>
    IBlobWriter BeginWrite(long maxBytes);

    /// <summary>Removes a blob; false when it was not held.</summary>
    bool Remove(BlobId id);

    /// <summary>Every held blob with its size.</summary>
    IEnumerable<(BlobId Id, long Size)> List();
}

/// <summary>A blob on its way in: bytes, then a commit that checks the hash; disposed without one, it leaves no trace.</summary>
public interface IBlobWriter : IAsyncDisposable
{
    /// <summary>Adds bytes, hashing as they pass.</summary>
    /// <exception cref="InvalidDataException">The blob is larger than allowed.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>
    /// Makes the blob appear, safely on the disk. When <paramref name="expected"/> is given and the hash differs, nothing appears.
    /// </summary>
    /// <exception cref="InvalidDataException">The hash is not the expected one.</exception>
    ValueTask<(BlobId Id, long Size)> CommitAsync(BlobId? expected, CancellationToken cancellationToken);
}
