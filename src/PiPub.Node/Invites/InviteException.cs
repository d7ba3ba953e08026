namespace PiPub.Node.Invites;

/// <summary>An invite that cannot be made or used, in words for the person who asked.</summary>
public sealed class InviteException : Exception
{
    /// <summary>An error without words.</summary>
    public InviteException()
    {
    }

    /// <summary>An error in the words that the person reads.</summary>
    public InviteException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its cause.</summary>
    public InviteException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
