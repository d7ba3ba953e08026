using System.Text.Json;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage.State;

namespace PiPub.Node.Backups;

/// <summary>
/// <c>backup.create</c>, for the owner's tools: a source of the bytes of a backup, made with the passphrase in
/// <c>{"passphrase":"..."}</c>. A method of PiPub's own.
/// </summary>
public sealed class BackupMethods(BackupMaker maker, BackupTable notes, TimeProvider time)
{
    private const string Way = "command";

    /// <summary>Offers the method.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Source("backup.create", RpcCallers.Owner, CreateAsync);
    }

    private async Task CreateAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var passphrase = request.Arg(0) is { ValueKind: JsonValueKind.Object } options && options.TryGetProperty("passphrase"u8, out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : "";
        if (passphrase.Length is < BackupKey.MinPassphrase or > BackupKey.MaxPassphrase)
        {
            throw new RpcException($"The passphrase must have {BackupKey.MinPassphrase} characters or more.");
        }

        try
        {
            var key = await Task.Run(() => BackupKey.Create(passphrase), cancellationToken);
            await using var output = new RpcOutput(stream);
            var summary = await maker.WriteAsync(output, key, cancellationToken);
            notes.Succeeded(Way, time.GetUtcNow(), summary.Bytes);
        }
        catch (IOException e)
        {
            throw new RpcException(e.Message, e);
        }
    }

    /// <summary>Sends what is written as pieces of a source. Pieces of a backup are larger than a frame should be.</summary>
    private sealed class RpcOutput(RpcStream stream) : Stream
    {
        private const int PieceBytes = 32 * 1024;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (buffer.Length > 0)
            {
                var piece = buffer[..Math.Min(PieceBytes, buffer.Length)];
                await stream.WriteAsync(BodyType.Binary, piece, cancellationToken);
                buffer = buffer[piece.Length..];
            }
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
