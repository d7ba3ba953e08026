using System.Collections.Concurrent;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;

namespace PiPub.Storage.Blobs;

/// <summary>
/// Blobs as files: <c>sha256/(2 hex digits)/(62 hex digits)</c>, as multiblob lays them out. A blob is written under
/// <c>tmp</c>, flushed, and renamed when its hash is known, so that a name always stands for the right bytes.
/// </summary>
/// <remarks>Source: multiblob 1.13.8. Which blobs there are, and their sizes, is kept in memory: about 80 bytes each.</remarks>
public sealed class FileBlobStore : IBlobStore
{
    private readonly ConcurrentDictionary<BlobId, long> _sizes = new();
    private readonly Lock _naming = new();
    private readonly string _hashed;
    private readonly string _temporary;
    private long _totalBytes;

    private FileBlobStore(string directory)
    {
        _hashed = Path.Combine(directory, "sha256");
        _temporary = Path.Combine(directory, "tmp");
    }

    /// <inheritdoc/>
    public long TotalBytes => Interlocked.Read(ref _totalBytes);

    /// <summary>The id of the blob without bytes, which everyone holds.</summary>
    public static BlobId Empty { get; } = BlobId.Parse("&47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=.sha256");

    /// <summary>Opens the store in a directory, made when missing, and removes what was half written when the last run ended.</summary>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    public static FileBlobStore Open(string directory)
    {
        var store = new FileBlobStore(directory);
        if (Directory.Exists(store._temporary))
        {
            Directory.Delete(store._temporary, recursive: true);
        }

        Directory.CreateDirectory(store._temporary);
        Directory.CreateDirectory(store._hashed);
        store.Count();
        return store;
    }

    /// <inheritdoc/>
    public long? Size(BlobId id) => id == Empty ? 0 : _sizes.TryGetValue(id, out var size) ? size : null;

    /// <inheritdoc/>
    public Stream? OpenRead(BlobId id)
    {
        if (id == Empty)
        {
            return Stream.Null;
        }

        if (!_sizes.ContainsKey(id))
        {
            return null;
        }

        try
        {
            return new FileStream(PathOf(id), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        }
        catch (IOException error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // Removed just now, or by someone behind our back.
            lock (_naming)
            {
                if (!File.Exists(PathOf(id)))
                {
                    Forget(id);
                }
            }

            return null;
        }
    }

    /// <inheritdoc/>
    public IBlobWriter BeginWrite(long maxBytes) => new BlobWriter(this, Path.Combine(_temporary, Guid.NewGuid().ToString("n")), maxBytes);

    /// <inheritdoc/>
    public bool Remove(BlobId id)
    {
        lock (_naming)
        {
            if (!Forget(id))
            {
                return false;
            }

            File.Delete(PathOf(id));
            return true;
        }
    }

    /// <inheritdoc/>
    public IEnumerable<(BlobId Id, long Size)> List() => _sizes.Select(static entry => (entry.Key, entry.Value));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Takes over a flushed temporary file whose hash is known.</summary>
    internal void Adopt(string temporary, BlobId id, long size)
    {
        // One name at a time: a blob removed while it arrives again must not lose the new file.
        lock (_naming)
        {
            if (id == Empty || _sizes.ContainsKey(id))
            {
                return;
            }

            var path = PathOf(id);
            var directory = Path.GetDirectoryName(path)!;
            var isNew = !Directory.Exists(directory);
            Directory.CreateDirectory(directory);
            File.Move(temporary, path, overwrite: true);
            FileSync.Directory(directory);
            if (isNew)
            {
                FileSync.Directory(_hashed);
            }

            _sizes[id] = size;
            Interlocked.Add(ref _totalBytes, size);
        }
    }

    /// <summary>Where a blob's bytes lie, or would.</summary>
    internal string PathOf(BlobId id)
    {
        var hex = Convert.ToHexStringLower(id.AsSpan());
        return Path.Combine(_hashed, hex[..2], hex[2..]);
    }

    private bool Forget(BlobId id)
    {
        if (!_sizes.TryRemove(id, out var size))
        {
            return false;
        }

        Interlocked.Add(ref _totalBytes, -size);
        return true;
    }

    private void Count()
    {
        Span<byte> hash = stackalloc byte[Bytes32.Length];
        foreach (var file in new DirectoryInfo(_hashed).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var hex = file.Directory!.Name + file.Name;
            if (hex.Length == 2 * Bytes32.Length && Convert.FromHexString(hex, hash, out _, out _) == System.Buffers.OperationStatus.Done
                && _sizes.TryAdd(new BlobId(hash), file.Length))
            {
                _totalBytes += file.Length;
            }
        }
    }
}
