using System.Security.Cryptography;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;

namespace PiPub.Storage.Blobs;

/// <summary>A blob on its way into a <see cref="FileBlobStore"/>: a temporary file and a running SHA-256.</summary>
internal sealed class BlobWriter : IBlobWriter
{
    private readonly FileBlobStore _store;
    private readonly string _path;
    private readonly long _maxBytes;
    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _size;
    private bool _committed;

    public BlobWriter(FileBlobStore store, string path, long maxBytes)
    {
        _store = store;
        _path = path;
        _maxBytes = maxBytes;
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
    }

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.Length > _maxBytes - _size)
        {
            throw new InvalidDataException($"The blob is larger than the {_maxBytes:N0} bytes that are allowed.");
        }

        _hash.AppendData(bytes.Span);
        await _file.WriteAsync(bytes, cancellationToken);
        _size += bytes.Length;
    }

    public async ValueTask<(BlobId Id, long Size)> CommitAsync(BlobId? expected, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_committed, this);
        var id = new BlobId(_hash.GetCurrentHash());
        if (expected is { } wanted && wanted != id)
        {
            throw new InvalidDataException($"The bytes received for blob {wanted} are those of {id}; they were thrown away.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        _committed = true;
        await Task.Run(
            () =>
            {
                if (_store.Size(id) is null)
                {
                    FileSync.Data(_file.SafeFileHandle);
                    _store.Adopt(_path, id, _size);
                }
            },
            CancellationToken.None);
        return (id, _size);
    }

    public async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        await _file.DisposeAsync();
        File.Delete(_path); // gone already when it was adopted
    }
}
