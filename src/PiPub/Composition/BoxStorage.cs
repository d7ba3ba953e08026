using Microsoft.Data.Sqlite;
using PiPub.Configuration;
using PiPub.Node.Identity;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage;
using PiPub.Storage.Blobs;
using PiPub.Storage.Disk;
using PiPub.Storage.Log;
using PiPub.Storage.State;
using PiPub.Storage.Verification;
using PiPub.Storage.Views;

namespace PiPub.Composition;

/// <summary>What the box keeps, opened in the order in which one thing needs the other, and closed in the reverse order.</summary>
internal sealed class BoxStorage : IAsyncDisposable
{
    private readonly Closing _closing;

    private BoxStorage(PiPubOptions options, Closing closing)
    {
        _closing = closing;
        Directory = closing.Add(DataDirectory.Open(options.DataDirectory, options.MinFreeSpace));
        _ = DataReplacement.Complete(Directory, configurationFile: options.ConfigurationFile);
        RefuseToBecomeSomebodyElse();
        State = closing.Add(OpenState());
        if (IdentityChange.IsPrepared(Directory.Path))
        {
            _ = IdentityChange.TakeOver(Directory.Path, State);
        }

        Identity = SecretFile.ReadOrCreate(Directory.Path, out var isNew);
        IsNew = isNew;
        Log = closing.Add(SegmentedMessageLog.Open(Directory.LogPath));
        Views = closing.Add(MessageViews.Open(Directory.ViewsPath, Log));
        Messages = closing.Add(new MessageStore(Log, Views));
        Blobs = closing.Add(FileBlobStore.Open(Directory.BlobsPath));
    }

    /// <summary>The data directory, locked.</summary>
    public DataDirectory Directory { get; }

    /// <summary>The box's own identity.</summary>
    public KeyPair Identity { get; }

    /// <summary>True when the identity was made just now.</summary>
    public bool IsNew { get; }

    /// <summary>The small things that no message says.</summary>
    public StateDatabase State { get; }

    /// <summary>The message log.</summary>
    public SegmentedMessageLog Log { get; }

    /// <summary>The views made from the log.</summary>
    public MessageViews Views { get; }

    /// <summary>The messages with their index.</summary>
    public MessageStore Messages { get; }

    /// <summary>The blobs.</summary>
    public FileBlobStore Blobs { get; }

    /// <summary>Opens everything.</summary>
    /// <exception cref="DataDirectoryException">The directory is in use, full, or not usable.</exception>
    /// <exception cref="InvalidDataException">The secret is missing or damaged, or the log is.</exception>
    public static async Task<BoxStorage> OpenAsync(PiPubOptions options)
    {
        var closing = new Closing();
        try
        {
            return new BoxStorage(options, closing);
        }
        catch
        {
            await closing.DisposeAsync();
            throw;
        }
    }

    /// <summary>Has the views follow the log, and waits until they have caught up with it.</summary>
    public async Task FollowAsync(IProgress<ViewProgress> progress, CancellationToken cancellationToken)
    {
        Views.Follow(Messages, progress);
        await Views.WhenCaughtUpAsync(cancellationToken);
    }

    /// <summary>Checks all that is kept, beside whatever else goes on.</summary>
    public Task<StoreReport> VerifyAsync(HmacKey? hmacKey, CancellationToken cancellationToken) =>
        new StoreVerifier(hmacKey).VerifyAsync(Directory.LogPath, Log, Blobs, Views, progress: null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _closing.DisposeAsync();

    private StateDatabase OpenState()
    {
        try
        {
            return StateDatabase.Open(Directory.Path);
        }
        catch (SqliteException e)
        {
            throw new InvalidDataException(
                $"{Path.Combine(Directory.Path, "state.sqlite")} cannot be used: {e.Message.TrimEnd('.')}. Put it back from a backup. "
                + "Without one, move it away: invites, the owner and the private list are then forgotten, messages and blobs are not.",
                e);
        }
    }

    /// <summary>A directory with messages but without its secret: making a new one would silently make another box of it.</summary>
    private void RefuseToBecomeSomebodyElse()
    {
        var hasMessages = System.IO.Directory.Exists(Directory.LogPath) && System.IO.Directory.EnumerateFiles(Directory.LogPath).Any();
        if (hasMessages && !SecretFile.Exists(Directory.Path))
        {
            throw new InvalidDataException(
                $"{Directory.Path} holds messages, but the box's secret is missing. Put the file \"secret\" back from a backup. "
                + "To begin as a new box, give it another data directory.");
        }
    }
}
