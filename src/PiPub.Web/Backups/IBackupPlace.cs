namespace PiPub.Web.Backups;

/// <summary>A backup that lies on a USB stick.</summary>
/// <param name="Path">The file.</param>
/// <param name="Written">When it was written there, by the clock of whoever did.</param>
/// <param name="Bytes">Its size.</param>
public sealed record StoredBackup(string Path, DateTimeOffset Written, long Bytes)
{
    /// <summary>The file's name.</summary>
    public string Name => System.IO.Path.GetFileName(Path);
}

/// <summary>Where backups go that the box makes by itself, and where some lie that can be put back.</summary>
public interface IBackupPlace
{
    /// <summary>Whether USB sticks that are put into the box can take them.</summary>
    bool TakesSticks { get; }

    /// <summary>Whether one is in.</summary>
    bool HasStick { get; }

    /// <summary>The backups on the sticks that are in now, the newest first.</summary>
    IReadOnlyList<StoredBackup> OnSticks();

    /// <summary>Chooses.</summary>
    /// <param name="directory">A directory that is there, <c>usb</c> for whichever stick is in, or null for none.</param>
    /// <exception cref="Node.Sentences.RefusedException">It cannot be kept; the message says why.</exception>
    void Choose(string? directory);
}
