using PiPub.Node.Sentences;

namespace PiPub.Node.Publishing;

/// <summary>A message was not published, and nothing has changed. The text says why and what to do, for a person to read.</summary>
public sealed class PublishRefusedException : SaidException
{
    /// <inheritdoc/>
    public PublishRefusedException()
    {
    }

    /// <inheritdoc/>
    public PublishRefusedException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public PublishRefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <inheritdoc/>
    public PublishRefusedException(Sentence said, Exception? innerException = null)
        : base(said, innerException)
    {
    }
}
