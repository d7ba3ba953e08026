using PiPub.Node.Sentences;

namespace PiPub.Web.Restart;

/// <summary>How a box ends and begins again, within the same process.</summary>
public interface IBoxLife
{
    /// <summary>
    /// Closes the box wholly (listeners, log, the data directory's lock) and opens it again, with its configuration read anew.
    /// Returns at once; it begins a moment later, so that whoever asked can still be answered. Open pages lose their connection
    /// and come back by themselves.
    /// </summary>
    /// <param name="meanwhile">
    /// Done between the two, while nothing has anything open: it is given the data directory, which is locked for it. When it fails,
    /// that is logged and kept as a problem that the pages show (its message is for a person), and the box starts all the same. A
    /// pulled plug forgets it: what must not be left half done has to note that down itself, see <c>PiPub.Lives.StartActions</c>.
    /// </param>
    /// <exception cref="RefusedException">The configuration cannot be used, so that the box would not start again, or a
    /// restart is under way already. Nothing ends; the message says why.</exception>
    void Restart(Func<DirectoryInfo, CancellationToken, Task>? meanwhile = null);
}
