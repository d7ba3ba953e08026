using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Node.Backups;

/// <summary>Reads a backup from its first byte to its last, once, holding one record in memory at a time, and judges it.</summary>
public sealed class BackupReader
{
    private const int MaxBody = 1024 * 1024;

    private readonly SealedInput _input;
    private readonly IBackupReceiver? _receiver;
    private readonly CancellationToken _stop;
    private readonly byte[] _head = new byte[1 + sizeof(int)];
    private BackupAbout? _about;
    private int _columns;
    private long _invites;
    private bool _isInvites;
    private bool _hasSecret;

    private BackupReader(SealedInput input, IBackupReceiver? receiver, CancellationToken cancellationToken) =>
        (_input, _receiver, _stop) = (input, receiver, cancellationToken);

    /// <summary>Reads all of a backup and tells what is in it; keeps nothing.</summary>
    /// <param name="from">The file.</param>
    /// <param name="passphrase">With which it was made.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BackupException">It cannot be used; the message says why.</exception>
    public static Task<BackupSummary> CheckAsync(Stream from, string passphrase, CancellationToken cancellationToken) =>
        ReadAsync(from, passphrase, receiver: null, cancellationToken);

    internal static async Task<BackupSummary> ReadAsync(Stream from, string passphrase, IBackupReceiver? receiver, CancellationToken cancellationToken)
    {
        var reader = new BackupReader(await SealedInput.BeginAsync(from, passphrase, cancellationToken), receiver, cancellationToken);
        return await reader.ReadAsync();
    }

    private async Task<BackupSummary> ReadAsync()
    {
        using var tally = new BackupTally();
        while (true)
        {
            if (!await _input.TryFillAsync(_head, _stop))
            {
                throw Damaged();
            }

            var (kind, length) = ((BackupRecord)_head[0], BinaryPrimitives.ReadInt32LittleEndian(_head.AsSpan(1)));
            if (length < 0 || (_about is null) != (kind == BackupRecord.About))
            {
                throw Damaged();
            }

            if (kind == BackupRecord.Blob)
            {
                await ReadBlobAsync(length, tally);
                continue;
            }

            if (length > MaxBody)
            {
                throw Damaged();
            }

            var body = new byte[length];
            if (length > 0 && !await _input.TryFillAsync(body, _stop))
            {
                throw Damaged();
            }

            if (kind == BackupRecord.Manifest)
            {
                return await IsEndAsync() && _hasSecret && tally.Manifest().Span.SequenceEqual(body)
                    ? new BackupSummary(_about!, tally.Count(BackupRecord.Message), tally.Count(BackupRecord.Blob), _invites, Bytes: 0)
                    : throw Damaged();
            }

            if (kind is < BackupRecord.About or > BackupRecord.Manifest)
            {
                throw Damaged();
            }

            tally.Begin(kind);
            tally.Add(kind, body);
            await TakeAsync(kind, body);
        }
    }

    private async ValueTask<bool> IsEndAsync() => (await _input.ReadAsync(1, _stop)).IsEmpty;

    private async ValueTask TakeAsync(BackupRecord kind, ReadOnlyMemory<byte> body)
    {
        switch (kind)
        {
            case BackupRecord.About:
                _about = BackupAbout.Decode(body);
                _receiver?.TakeAbout(_about);
                break;
            case BackupRecord.Secret:
                TakeSecret(body);
                break;
            case BackupRecord.Settings:
                _receiver?.TakeSettings(Encoding.UTF8.GetString(body.Span));
                break;
            case BackupRecord.Table:
                BeginTable(body);
                break;
            case BackupRecord.Row:
                _invites += _isInvites ? 1 : 0;
                TakeRow(body);
                break;
            default:
                if (_receiver is not null)
                {
                    await _receiver.TakeMessageAsync(body, _stop);
                }

                break;
        }
    }

    private void TakeSecret(ReadOnlyMemory<byte> body)
    {
        KeyPair keys;
        try
        {
            keys = SecretText.Parse(Encoding.UTF8.GetString(body.Span));
        }
        catch (FormatException e)
        {
            throw new BackupException(BackupProblem.Damaged, e);
        }

        if (keys.Id != _about!.Box || _hasSecret)
        {
            throw Damaged();
        }

        _hasSecret = true;
        _receiver?.TakeSecret(keys);
    }

    private void BeginTable(ReadOnlyMemory<byte> body)
    {
        var texts = new List<string>();
        foreach (var text in Array(body).EnumerateArray())
        {
            texts.Add(text.ValueKind == JsonValueKind.String ? Text(text) : throw Damaged());
        }

        if (texts.Count < 2)
        {
            throw Damaged();
        }

        (_columns, _isInvites) = (texts.Count - 1, texts[0] == "invites");
        _receiver?.BeginTable(texts[0], texts[1..]);
    }

    private void TakeRow(ReadOnlyMemory<byte> body)
    {
        var values = new List<object?>(_columns);
        foreach (var value in Array(body).EnumerateArray())
        {
            values.Add(value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => Text(value),
                JsonValueKind.Number => value.TryGetInt64(out var integer) ? integer : value.GetDouble(),
                JsonValueKind.Object => Bytes(value),
                _ => throw Damaged(),
            });
        }

        if (values.Count != _columns || _columns == 0)
        {
            throw Damaged();
        }

        _receiver?.TakeRow(values);
    }

    private async Task ReadBlobAsync(int length, BackupTally tally)
    {
        var idBytes = new byte[Bytes32.Length];
        if (length < idBytes.Length || !await _input.TryFillAsync(idBytes, _stop))
        {
            throw Damaged();
        }

        tally.Begin(BackupRecord.Blob);
        tally.Add(BackupRecord.Blob, idBytes);
        var (id, size) = (new BlobId(idBytes), length - idBytes.Length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var writer = _receiver?.BeginBlob(id, size);
        for (var left = size; left > 0;)
        {
            var piece = await _input.ReadAsync(left, _stop);
            if (piece.IsEmpty)
            {
                throw Damaged();
            }

            tally.Add(BackupRecord.Blob, piece.Span);
            hash.AppendData(piece.Span);
            if (writer is not null)
            {
                await writer.WriteAsync(piece, _stop);
            }

            left -= piece.Length;
        }

        if (new BlobId(hash.GetCurrentHash()) != id)
        {
            throw Damaged();
        }

        if (writer is not null)
        {
            _ = await writer.CommitAsync(id, _stop);
        }
    }

    private static JsonElement Array(ReadOnlyMemory<byte> body)
    {
        try
        {
            var json = JsonElement.Parse(body.Span);
            return json.ValueKind == JsonValueKind.Array ? json : throw Damaged();
        }
        catch (JsonException e)
        {
            throw new BackupException(BackupProblem.Damaged, e);
        }
    }

    private static string Text(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Not UTF-8, or half a surrogate pair.
            throw new BackupException(BackupProblem.Damaged, e);
        }
    }

    private static byte[] Bytes(JsonElement value)
    {
        try
        {
            return value.TryGetProperty("b"u8, out var bytes) && bytes.ValueKind == JsonValueKind.String && bytes.TryGetBytesFromBase64(out var decoded) ? decoded : throw Damaged();
        }
        catch (InvalidOperationException e)
        {
            throw new BackupException(BackupProblem.Damaged, e);
        }
    }

    private static BackupException Damaged() => new(BackupProblem.Damaged);
}
