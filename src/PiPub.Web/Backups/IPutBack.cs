using PiPub.Node.Sentences;

namespace PiPub.Web.Backups;

/// <summary>The last step of putting a backup back.</summary>
public interface IPutBack
{
    /// <summary>Has what was read take the place of the box's present state, and restarts the box with it a moment later.</summary>
    /// <exception cref="RefusedException">Nothing was read, or the box cannot restart now; the message says why.</exception>
    /// <exception cref="IOException">The disk is full or failing; nothing has changed.</exception>
    void PutBackAndRestart();
}
