namespace PiPub.Node.Sentences;

/// <summary>What a person asked for on the pages is not done, and nothing has changed. The text says why and what to do.</summary>
public sealed class RefusedException : SaidException
{
    /// <inheritdoc/>
    public RefusedException()
    {
    }

    /// <inheritdoc/>
    public RefusedException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public RefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <inheritdoc/>
    public RefusedException(Sentence said, Exception? innerException = null)
        : base(said, innerException)
    {
    }
}
