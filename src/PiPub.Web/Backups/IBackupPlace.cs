namespace PiPub.Web.Backups;

/// <summary>Where backups go that the box makes by itself.</summary>
public interface IBackupPlace
{
    /// <summary>Whether USB sticks that are put into the box can take them.</summary>
    bool TakesSticks { get; }

    /// <summary>Whether one is in.</summary>
    bool HasStick { get; }

    /// <summary>Chooses.</summary>
    /// <param name="directory">A directory that is there, <c>usb</c> for whichever stick is in, or null for none.</param>
    /// <exception cref="Node.Sentences.RefusedException">It cannot be kept; the message says why.</exception>
    void Choose(string? directory);
}
