using PiPub.Node.Sentences;

namespace PiPub.Web.Restart;

/// <summary>Makes a new box of this one.</summary>
public interface IFactoryReset
{
    /// <summary>
    /// Erases all that the box keeps (key, messages, pictures, people, invites, password, settings made on the pages) and starts
    /// it as a new one. Returns at once; nothing can stop it from then on, not even a pulled plug.
    /// </summary>
    /// <exception cref="RefusedException">It cannot be begun; the message says why. Nothing is erased.</exception>
    void Begin();
}
