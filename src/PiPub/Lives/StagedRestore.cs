using PiPub.Node.Backups;
using PiPub.Web.Backups;

namespace PiPub.Lives;

/// <summary>Puts a backup that has been read in the place of the box's present state, and begins a new life with it.</summary>
internal sealed class StagedRestore(BackupRestore restore, BoxLife life) : IPutBack
{
    /// <inheritdoc/>
    public void PutBackAndRestart() => life.Restart(restore.Commit);
}
