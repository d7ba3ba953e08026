using PiPub.Node.Sentences;
using PiPub.Scuttlebutt.Identities;
using PiPub.Storage.Disk;
using PiPub.Storage.State;

namespace PiPub.Node.Backups;

/// <summary>Where a backup is put back.</summary>
/// <param name="DataDirectory">The data directory.</param>
/// <param name="HmacKey">The network's message HMAC key, if it has one.</param>
/// <param name="HasRoom">Whether the disk has room for more.</param>
/// <param name="Configuration">Makes the text of this machine's configuration file, of the lines in the backup.</param>
/// <param name="Machine">The state of the machine, whose own tables stay; null when there is none.</param>
/// <param name="SequenceOf">How far a feed is here now: an older backup of this very box must not hide what came after it.</param>
public sealed record RestorePlace(
    string DataDirectory, HmacKey? HmacKey, Func<bool> HasRoom, Func<string, string> Configuration, StateDatabase? Machine, Func<FeedId, int> SequenceOf);

/// <summary>
/// Puts a backup back in two steps: it is read and written beside the box's present state, and when its owner has seen what is
/// in it and says so, it takes that state's place at the next start (<see cref="DataReplacement"/>).
/// </summary>
public sealed class BackupRestore(RestorePlace place, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>What has been read and waits for the owner's word; null when there is nothing.</summary>
    public BackupSummary? Prepared { get; private set; }

    /// <summary>Reads a backup wholly and writes it beside. What was prepared before is forgotten.</summary>
    /// <exception cref="BackupException">It cannot be used; nothing has changed.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task<BackupSummary> PrepareAsync(Stream from, string passphrase, CancellationToken cancellationToken) =>
        PrepareAsync(state => BackupReader.ReadAsync(from, passphrase, state, cancellationToken), cancellationToken);

    /// <summary>
    /// Prepares a box that has nothing but its key, such as its recovery words give it: its feed comes from peers. What was prepared
    /// before is forgotten.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task<BackupSummary> PrepareAsync(KeyPair keys, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(keys);
        return PrepareAsync(
            state =>
            {
                var about = new BackupAbout(keys.Id, "", Owner: null, Sequence: 0, time.GetUtcNow(), "");
                state.TakeAbout(about);
                state.TakeSecret(keys);
                return Task.FromResult(new BackupSummary(about, 0, 0, 0, 0) { IsKeyOnly = true });
            },
            cancellationToken);
    }

    /// <summary>Decides that what was prepared takes the place of the present state at the next start.</summary>
    /// <exception cref="RefusedException">Nothing is prepared, or it is being read still.</exception>
    /// <exception cref="IOException">It is not certain to be on the disk; nothing has changed.</exception>
    public void Commit()
    {
        if (!_one.Wait(0))
        {
            throw new RefusedException(Sentence.Of($"A backup is being read still. Wait until it has been."));
        }

        try
        {
            if (Prepared is null)
            {
                throw new RefusedException(Sentence.Of($"There is no backup that waits to be put back."));
            }

            DataReplacement.Commit(place.DataDirectory);
            Prepared = null;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Forgets what was prepared.</summary>
    public async Task DiscardAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            Prepared = null;
            DataReplacement.Discard(place.DataDirectory);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    private async Task<BackupSummary> PrepareAsync(Func<RestoredState, Task<BackupSummary>> fill, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            Prepared = null;
            var directory = DataReplacement.Begin(place.DataDirectory);
            try
            {
                BackupSummary summary;
                await using (var state = new RestoredState(directory, place.HmacKey, place.HasRoom, place.Configuration, time.GetUtcNow().ToUnixTimeMilliseconds()))
                {
                    summary = await fill(state);
                    await state.CompleteAsync(place.Machine, place.SequenceOf, cancellationToken);
                }

                Prepared = summary;
                return summary;
            }
            finally
            {
                if (Prepared is null)
                {
                    DataReplacement.Discard(place.DataDirectory);
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }
}
