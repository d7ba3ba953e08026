namespace PiPub.Node.Sentences;

/// <summary>Something that a person asked for is not done, and nothing has changed. What it says is for that person: why, and what to do.</summary>
public abstract class SaidException : Exception
{
    /// <summary>Without words.</summary>
    protected SaidException() => Said = Sentence.Verbatim("");

    /// <summary>In somebody else's words, which stay as they are.</summary>
    protected SaidException(string message)
        : this(Sentence.Verbatim(message))
    {
    }

    /// <summary>In somebody else's words, with the cause.</summary>
    protected SaidException(string message, Exception? innerException)
        : this(Sentence.Verbatim(message), innerException)
    {
    }

    /// <summary>In a sentence of the box's own.</summary>
    protected SaidException(Sentence said, Exception? innerException = null)
        : base(said?.ToString(), innerException) => Said = said!;

    /// <summary>The sentence.</summary>
    public Sentence Said { get; }
}
