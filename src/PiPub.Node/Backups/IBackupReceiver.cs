using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;

namespace PiPub.Node.Backups;

/// <summary>
/// Takes what is read from a backup, in the order of its records. Nothing of it may be relied on before the reading has ended
/// well: only then is the backup known to be whole.
/// </summary>
internal interface IBackupReceiver
{
    /// <summary>Whose backup it is; the first call.</summary>
    void TakeAbout(BackupAbout about);

    /// <summary>The box's key pair.</summary>
    void TakeSecret(KeyPair keys);

    /// <summary>Lines of the configuration file.</summary>
    void TakeSettings(string lines);

    /// <summary>Rows of this table follow.</summary>
    void BeginTable(string name, IReadOnlyList<string> columns);

    /// <summary>A row of the table.</summary>
    /// <param name="values">As many as columns: null, long, double, string or bytes.</param>
    void TakeRow(IReadOnlyList<object?> values);

    /// <summary>A message's value.</summary>
    ValueTask TakeMessageAsync(ReadOnlyMemory<byte> value, CancellationToken cancellationToken);

    /// <summary>Where a blob's bytes go; null when it is not wanted.</summary>
    IBlobWriter? BeginBlob(BlobId id, long size);
}
