using PiPub.Scuttlebutt.Cryptography;

namespace PiPub.Node.Backups;

/// <summary>Writes what is to be sealed: one piece in memory at a time, each written on when it is full.</summary>
internal sealed class SealedOutput
{
    private readonly Stream _to;
    private readonly byte[] _state = new byte[Sodium.SecretStreamStateBytes];
    private readonly byte[] _piece = new byte[BackupHeader.PieceBytes];
    private readonly byte[] _sealed = new byte[BackupHeader.PieceBytes + Sodium.SecretStreamExtraBytes];
    private int _filled;

    private SealedOutput(Stream to) => _to = to;

    /// <summary>Bytes written so far, as they lie in the file.</summary>
    public long Written { get; private set; }

    /// <summary>Begins a file.</summary>
    public static async Task<SealedOutput> BeginAsync(Stream to, BackupKey key, CancellationToken cancellationToken)
    {
        var output = new SealedOutput(to);
        var header = new byte[BackupHeader.Length];
        BackupHeader.Write(key, header, output._state);
        await to.WriteAsync(header, cancellationToken);
        output.Written = header.Length;
        return output;
    }

    /// <summary>Adds bytes.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            // A full piece waits for what follows: only then is it known not to be the last.
            if (_filled == _piece.Length)
            {
                await SealAsync(isLast: false, cancellationToken);
            }

            var taken = Math.Min(bytes.Length, _piece.Length - _filled);
            bytes[..taken].CopyTo(_piece.AsMemory(_filled));
            _filled += taken;
            bytes = bytes[taken..];
        }
    }

    /// <summary>Writes the last piece. Without it the file counts as cut off.</summary>
    public ValueTask CompleteAsync(CancellationToken cancellationToken) => SealAsync(isLast: true, cancellationToken);

    private async ValueTask SealAsync(bool isLast, CancellationToken cancellationToken)
    {
        var length = _filled + Sodium.SecretStreamExtraBytes;
        Sodium.SealNext(_state, _piece.AsSpan(0, _filled), isLast, _sealed.AsSpan(0, length));
        await _to.WriteAsync(_sealed.AsMemory(0, length), cancellationToken);
        Written += length;
        _filled = 0;
    }
}
