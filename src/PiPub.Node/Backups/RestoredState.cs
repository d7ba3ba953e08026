using PiPub.Node.Identity;
using PiPub.Scuttlebutt.Feeds;
using PiPub.Scuttlebutt.Feeds.Classic;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Blobs;
using PiPub.Storage.Log;
using PiPub.Storage.State;

namespace PiPub.Node.Backups;

/// <summary>A data directory in the making: what a backup holds, written as a box keeps it.</summary>
internal sealed class RestoredState : IBackupReceiver, IAsyncDisposable
{
    private const int BatchMessages = 512;
    private const int BatchBytes = 1024 * 1024;

    private readonly string _directory;
    private readonly HmacKey? _hmacKey;
    private readonly Func<bool> _hasRoom;
    private readonly Func<string, string> _configuration;
    private readonly long _now;
    private readonly StateDatabase _state;
    private readonly SegmentedMessageLog _log;
    private readonly MessageStore _messages;
    private readonly FileBlobStore _blobs;
    private readonly List<ReadOnlyMemory<byte>> _batch = [];
    private int _batchBytes;
    private (string Name, IReadOnlyList<string> Columns)? _table;
    private BackupAbout? _about;

    /// <summary>Opens log, state and blobs in an empty directory.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="hmacKey">The network's message HMAC key, if it has one.</param>
    /// <param name="hasRoom">Whether the disk has room for more.</param>
    /// <param name="configuration">Makes the text of the configuration file, of the lines in the backup.</param>
    /// <param name="now">When the messages count as received, in milliseconds since 1970.</param>
    public RestoredState(string directory, HmacKey? hmacKey, Func<bool> hasRoom, Func<string, string> configuration, long now)
    {
        (_directory, _hmacKey, _hasRoom, _configuration, _now) = (directory, hmacKey, hasRoom, configuration, now);
        _state = StateDatabase.Open(directory);

        // Nothing of this counts before all of it is flushed at the end; until then speed does.
        _state.Execute("PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF;");
        CreateTables(_state);
        _log = SegmentedMessageLog.Open(Path.Combine(directory, "log"));
        _messages = new MessageStore(_log);
        _blobs = FileBlobStore.Open(Path.Combine(directory, "blobs"));
    }

    /// <summary>The tables into which rows come, made as the box makes them.</summary>
    public static void CreateTables(StateDatabase state)
    {
        _ = new OwnerTable(state);
        _ = new InvitesTable(state);
        _ = new ReplicateListTable(state);
        _ = new KnownAddressesTable(state);
        _ = new ForkTable(state);
        _ = new BlobTable(state);
        _ = new OwnFeedTable(state);
    }

    public void TakeAbout(BackupAbout about) => _about = about;

    public void TakeSecret(KeyPair keys) => SecretFile.Write(_directory, keys);

    public void TakeSettings(string lines)
    {
        if (_configuration(lines) is { Length: > 0 } text)
        {
            File.WriteAllText(Path.Combine(_directory, "pipub.conf"), text);
        }
    }

    public void BeginTable(string name, IReadOnlyList<string> columns) =>
        _table = StateTables.Find(name) is { Role: TableRole.Kept } ? (name, columns) : null;

    public void TakeRow(IReadOnlyList<object?> values)
    {
        if (_table is var (name, columns))
        {
            StateTables.Write(_state, name, columns, [values]);
        }
    }

    public async ValueTask TakeMessageAsync(ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        _batch.Add(value);
        _batchBytes += value.Length;
        if (_batch.Count >= BatchMessages || _batchBytes >= BatchBytes)
        {
            await AppendAsync(cancellationToken);
        }
    }

    public IBlobWriter? BeginBlob(BlobId id, long size)
    {
        CheckRoom();
        return _blobs.BeginWrite(size);
    }

    /// <summary>Ends it: the box must not publish before its feed is recovered, and nothing that belongs to the machine is lost.</summary>
    /// <param name="machine">The database of the machine as it is; null when there is none.</param>
    /// <param name="sequenceOf">How far a feed is on the machine as it is.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task CompleteAsync(StateDatabase? machine, Func<FeedId, int> sequenceOf, CancellationToken cancellationToken)
    {
        await AppendAsync(cancellationToken);
        if (_messages.SequenceOf(_about!.Box) != _about.Sequence)
        {
            throw new BackupException(BackupProblem.Damaged);
        }

        var reached = Math.Max(_about.Sequence, sequenceOf(_about.Box));
        if (machine is not null)
        {
            reached = Math.Max(reached, new OwnFeedTable(machine).Read(_about.Box).Reached);
            StateTables.CopyOfMachine(machine, _state);
        }

        new OwnFeedTable(_state).Write(_about.Box, isFree: false, reached);
    }

    public async ValueTask DisposeAsync()
    {
        _messages.Dispose();
        await _log.DisposeAsync();
        await _blobs.DisposeAsync();
        _state.Dispose();
    }

    private async Task AppendAsync(CancellationToken cancellationToken)
    {
        if (_batch.Count == 0)
        {
            return;
        }

        CheckRoom();
        var verdicts = new ClassicVerdict[_batch.Count];
        ClassicFeed.VerifyBatch(_batch.ToArray(), _hmacKey, verdicts);
        var messages = new List<Message>(_batch.Count);
        foreach (var verdict in verdicts)
        {
            messages.Add(verdict.Message ?? throw new BackupException(BackupProblem.OtherNetwork));
        }

        _batch.Clear();
        _batchBytes = 0;
        try
        {
            _ = await _messages.AppendAsync(messages, _now, cancellationToken);
        }
        catch (ArgumentException e)
        {
            throw new BackupException(BackupProblem.Damaged, e);
        }
    }

    private void CheckRoom()
    {
        if (!_hasRoom())
        {
            throw new BackupException(BackupProblem.NoRoom);
        }
    }
}
