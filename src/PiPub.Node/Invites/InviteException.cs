using PiPub.Node.Sentences;

namespace PiPub.Node.Invites;

/// <summary>An invite that cannot be made or used, in words for the person who asked.</summary>
public sealed class InviteException : SaidException
{
    /// <inheritdoc/>
    public InviteException()
    {
    }

    /// <inheritdoc/>
    public InviteException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public InviteException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <inheritdoc/>
    public InviteException(Sentence said, Exception? innerException = null)
        : base(said, innerException)
    {
    }
}
