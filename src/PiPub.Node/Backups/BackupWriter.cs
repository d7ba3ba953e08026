using System.Buffers.Binary;
using System.Text;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Backups;

/// <summary>Writes the records of a backup in their order, and seals them.</summary>
internal sealed class BackupWriter : IDisposable
{
    private readonly SealedOutput _output;
    private readonly BackupTally _tally = new();
    private readonly byte[] _head = new byte[1 + sizeof(int)];

    private BackupWriter(SealedOutput output) => _output = output;

    public long Written => _output.Written;

    public BackupTally Tally => _tally;

    /// <summary>Begins a backup with whose it is.</summary>
    public static async Task<BackupWriter> BeginAsync(Stream to, BackupKey key, BackupAbout about, CancellationToken cancellationToken)
    {
        var writer = new BackupWriter(await SealedOutput.BeginAsync(to, key, cancellationToken));
        await writer.AddAsync(BackupRecord.About, about.Encode(), cancellationToken);
        return writer;
    }

    public ValueTask AddAsync(BackupRecord kind, string body, CancellationToken cancellationToken) => AddAsync(kind, Encoding.UTF8.GetBytes(body), cancellationToken);

    public async ValueTask AddAsync(BackupRecord kind, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        await BeginRecordAsync(kind, body.Length, cancellationToken);
        await AddBodyAsync(kind, body, cancellationToken);
    }

    /// <summary>Adds a blob of a known size.</summary>
    /// <exception cref="IOException">The stream ends before it.</exception>
    public async Task AddBlobAsync(BlobId id, long size, Stream bytes, CancellationToken cancellationToken)
    {
        await BeginRecordAsync(BackupRecord.Blob, checked((int)(Bytes32.Length + size)), cancellationToken);
        await AddBodyAsync(BackupRecord.Blob, id.Bytes.ToArray(), cancellationToken);
        var piece = new byte[BackupHeader.PieceBytes];
        for (var left = size; left > 0;)
        {
            var read = await bytes.ReadAsync(piece.AsMemory(0, (int)Math.Min(left, piece.Length)), cancellationToken);
            if (read == 0)
            {
                throw new IOException($"Blob {id} is shorter on the disk than it was. Run `pipub verify`.");
            }

            await AddBodyAsync(BackupRecord.Blob, piece.AsMemory(0, read), cancellationToken);
            left -= read;
        }
    }

    /// <summary>Ends the backup with its manifest.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        var manifest = _tally.Manifest();
        WriteHead(BackupRecord.Manifest, manifest.Length);
        await _output.WriteAsync(_head, cancellationToken);
        await _output.WriteAsync(manifest, cancellationToken);
        await _output.CompleteAsync(cancellationToken);
    }

    public void Dispose() => _tally.Dispose();

    private ValueTask BeginRecordAsync(BackupRecord kind, int length, CancellationToken cancellationToken)
    {
        _tally.Begin(kind);
        WriteHead(kind, length);
        return _output.WriteAsync(_head, cancellationToken);
    }

    private ValueTask AddBodyAsync(BackupRecord kind, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        _tally.Add(kind, body.Span);
        return _output.WriteAsync(body, cancellationToken);
    }

    private void WriteHead(BackupRecord kind, int length)
    {
        _head[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(_head.AsSpan(1), length);
    }
}
