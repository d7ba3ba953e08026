using PiPub.Scuttlebutt.Cryptography;

namespace PiPub.Node.Backups;

/// <summary>Reads what was sealed: one piece in memory at a time, and nothing of a piece before all of it has proven right.</summary>
internal sealed class SealedInput
{
    private readonly Stream _from;
    private readonly byte[] _state = new byte[Sodium.SecretStreamStateBytes];
    private readonly byte[] _piece = new byte[BackupHeader.PieceBytes];
    private readonly byte[] _sealed = new byte[BackupHeader.PieceBytes + Sodium.SecretStreamExtraBytes];
    private int _start;
    private int _end;
    private bool _isLast;

    private SealedInput(Stream from) => _from = from;

    /// <summary>Begins to read a file.</summary>
    /// <exception cref="BackupException">It is none, or the passphrase does not open it.</exception>
    public static async Task<SealedInput> BeginAsync(Stream from, string passphrase, CancellationToken cancellationToken)
    {
        var input = new SealedInput(from);
        var header = new byte[BackupHeader.Length];
        var length = await from.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken);

        // Argon2id takes a second or two: not on a thread that others need.
        await Task.Run(() => BackupHeader.Read(header.AsSpan(0, length), passphrase, input._state), cancellationToken);
        return input;
    }

    /// <summary>Some of the bytes that come next, at most <paramref name="max"/>; empty at the end. Good until the next call.</summary>
    /// <exception cref="BackupException">They are not there, or not what was written.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(int max, CancellationToken cancellationToken)
    {
        while (_start == _end)
        {
            if (_isLast)
            {
                return default;
            }

            await OpenAsync(cancellationToken);
        }

        var some = _piece.AsMemory(_start, Math.Min(max, _end - _start));
        _start += some.Length;
        return some;
    }

    /// <summary>Fills a buffer; false when the end comes before its first byte.</summary>
    /// <exception cref="BackupException">The end comes in the middle of it, or bytes are not what was written.</exception>
    public async ValueTask<bool> TryFillAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var some = await ReadAsync(buffer.Length - filled, cancellationToken);
            if (some.IsEmpty)
            {
                return filled > 0 ? throw new BackupException(BackupProblem.Damaged) : false;
            }

            some.CopyTo(buffer[filled..]);
            filled += some.Length;
        }

        return true;
    }

    private async ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        var length = await _from.ReadAtLeastAsync(_sealed, _sealed.Length, throwOnEndOfStream: false, cancellationToken);
        if (length < Sodium.SecretStreamExtraBytes)
        {
            throw new BackupException(BackupProblem.CutOff);
        }

        (_start, _end) = (0, length - Sodium.SecretStreamExtraBytes);
        if (!Sodium.TryOpenNext(_state, _sealed.AsSpan(0, length), _piece.AsSpan(0, _end), out _isLast))
        {
            throw new BackupException(BackupProblem.Damaged);
        }

        if (_isLast && await _from.ReadAsync(_sealed, cancellationToken) > 0)
        {
            throw new BackupException(BackupProblem.Damaged);
        }
    }
}
