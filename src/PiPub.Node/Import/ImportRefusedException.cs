using PiPub.Node.Sentences;

namespace PiPub.Node.Import;

/// <summary>An import was not begun. The text says why and what to do, for a person to read.</summary>
public sealed class ImportRefusedException : SaidException
{
    /// <inheritdoc/>
    public ImportRefusedException()
    {
    }

    /// <inheritdoc/>
    public ImportRefusedException(string message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public ImportRefusedException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <inheritdoc/>
    public ImportRefusedException(Sentence said, Exception? innerException = null)
        : base(said, innerException)
    {
    }
}
