namespace PiPub.Node.Publishing;

/// <summary>A message was not published, and nothing has changed. The text says why and what to do, for a person to read.</summary>
public sealed class PublishRefusedException : Exception
{
    /// <summary>A refusal without words.</summary>
    public PublishRefusedException()
    {
    }

    /// <summary>A refusal in words.</summary>
    public PublishRefusedException(string message)
        : base(message)
    {
    }

    /// <summary>A refusal in words with its cause.</summary>
    public PublishRefusedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
