using System.Buffers;
using System.Text.Json;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.State;

namespace PiPub.Node.Backups;

/// <summary>What a backup is made of.</summary>
/// <param name="Identity">The box's key pair.</param>
/// <param name="Messages">The messages that are kept.</param>
/// <param name="Blobs">The blobs that are kept.</param>
/// <param name="State">What no message says.</param>
/// <param name="Owner">Whose box it is; null while nobody's.</param>
/// <param name="Name">What the box is called; empty when it has no name.</param>
/// <param name="Settings">The lines of <c>pipub.conf</c> that are not about the machine.</param>
/// <param name="Version">The program's version.</param>
public sealed record BackupSource(
    KeyPair Identity,
    MessageStore Messages,
    IBlobStore Blobs,
    StateDatabase State,
    Func<FeedId?> Owner,
    Func<string> Name,
    Func<string> Settings,
    string Version);

/// <summary>
/// Makes a backup of the running box: the key, the settings, who belongs to it, the box's own messages and its owner's, and the
/// pictures and files of the two as far as there is room for them.
/// </summary>
/// <remarks>
/// Other people's messages are not in it: they come back from peers, and would make it a hundred times as large. The state is
/// read at one moment, into memory (it is small); messages and blobs are read and sealed one after the other while the box goes on.
/// </remarks>
public sealed class BackupMaker : IDisposable
{
    /// <summary>What the name of a backup ends with.</summary>
    public const string FileSuffix = ".pipub-backup";

    /// <summary>At most so many bytes of blobs: those that are pinned first, then the newest.</summary>
    public const long MaxBlobBytes = 200_000_000;

    private readonly BackupSource _source;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Backs up a box.</summary>
    public BackupMaker(BackupSource source, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(time);
        (_source, _time) = (source, time);
    }

    /// <summary>The box's key pair. Handle as what it is.</summary>
    public KeyPair Identity => _source.Identity;

    /// <summary>The name of a backup file that is made now, such as <c>pipub-1f2e3d4c-20260305-141500.pipub-backup</c>.</summary>
    public string FileName => $"{FilePrefix}{_time.GetUtcNow():yyyyMMdd-HHmmss}{FileSuffix}";

    /// <summary>What the names of this box's backups begin with.</summary>
    internal string FilePrefix => $"pipub-{Convert.ToHexStringLower(_source.Identity.Id.AsSpan()[..4])}-";

    /// <summary>Writes a backup, one at a time. Cut off in between, what was written does not pass for one.</summary>
    public async Task<BackupSummary> WriteAsync(Stream to, BackupKey key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(key);
        await _one.WaitAsync(cancellationToken);
        try
        {
            return await WriteAllAsync(to, key, cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<BackupSummary> WriteAllAsync(Stream to, BackupKey key, CancellationToken cancellationToken)
    {
        var (box, owner) = (_source.Identity.Id, _source.Owner());
        var tables = _source.State.InTransaction(() => ReadState(owner));
        var about = new BackupAbout(box, _source.Name(), owner, _source.Messages.SequenceOf(box), _time.GetUtcNow(), _source.Version);
        using var writer = await BackupWriter.BeginAsync(to, key, about, cancellationToken);
        await writer.AddAsync(BackupRecord.Secret, SecretText.Format(_source.Identity), cancellationToken);
        await writer.AddAsync(BackupRecord.Settings, _source.Settings(), cancellationToken);
        var invites = 0;
        foreach (var (table, columns, rows) in tables)
        {
            invites += table.Name == "invites" ? rows.Count : 0;
            await writer.AddAsync(BackupRecord.Table, Encode([table.Name, .. columns]), cancellationToken);
            foreach (var row in rows)
            {
                await writer.AddAsync(BackupRecord.Row, Encode(row), cancellationToken);
            }
        }

        await AddFeedAsync(writer, box, about.Sequence, cancellationToken);
        if (owner is { } person)
        {
            await AddFeedAsync(writer, person, _source.Messages.SequenceOf(person), cancellationToken);
        }

        await AddBlobsAsync(writer, owner, cancellationToken);
        await writer.CompleteAsync(cancellationToken);
        return new BackupSummary(about, writer.Tally.Count(BackupRecord.Message), writer.Tally.Count(BackupRecord.Blob), invites, writer.Written);
    }

    private List<(StateTable Table, IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows)> ReadState(FeedId? owner)
    {
        var tables = new List<(StateTable, IReadOnlyList<string>, IReadOnlyList<object?[]>)>();
        foreach (var table in StateTables.All)
        {
            if (table.Role == TableRole.Kept && StateTables.ColumnsOf(_source.State, table.Name) is { Count: > 0 } columns)
            {
                object?[] parameters = table.Rows is null ? [] : [_source.Identity.Id.Bytes.ToArray(), owner?.Bytes.ToArray()];
                tables.Add((table, columns, StateTables.RowsOf(_source.State, table.Name, columns, table.Rows, parameters)));
            }
        }

        return tables;
    }

    private async Task AddFeedAsync(BackupWriter writer, FeedId feed, int last, CancellationToken cancellationToken)
    {
        for (var sequence = 1; sequence <= last; sequence++)
        {
            await writer.AddAsync(BackupRecord.Message, _source.Messages.Log.ReadValue(_source.Messages.PositionOf(feed, sequence)), cancellationToken);
        }
    }

    private async Task AddBlobsAsync(BackupWriter writer, FeedId? owner, CancellationToken cancellationToken)
    {
        var left = MaxBlobBytes;
        var blobs = _source.State.Query(
            "SELECT id FROM blobs WHERE pinned = 1 OR author = $0 OR author = $1 ORDER BY pinned DESC, added DESC",
            static row => new BlobId((byte[])row[0]),
            _source.Identity.Id.Bytes.ToArray(),
            owner?.Bytes.ToArray());
        foreach (var blob in blobs)
        {
            if (_source.Blobs.Size(blob) is { } size && size <= left && _source.Blobs.OpenRead(blob) is { } bytes)
            {
                await using (bytes)
                {
                    await writer.AddBlobAsync(blob, size, bytes, cancellationToken);
                }

                left -= size;
            }
        }
    }

    private static ReadOnlyMemory<byte> Encode(IReadOnlyList<object?> values)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var value in values)
            {
                switch (value)
                {
                    case null:
                        json.WriteNullValue();
                        break;
                    case long number:
                        json.WriteNumberValue(number);
                        break;
                    case double number:
                        json.WriteNumberValue(number);
                        break;
                    case string text:
                        json.WriteStringValue(text);
                        break;
                    case byte[] bytes:
                        json.WriteStartObject();
                        json.WriteBase64String("b"u8, bytes);
                        json.WriteEndObject();
                        break;
                    default:
                        throw new InvalidOperationException($"A database holds no {value.GetType()}.");
                }
            }

            json.WriteEndArray();
        }

        return buffer.WrittenMemory;
    }
}
