using PiPub.Node.Sentences;

namespace PiPub.Configuration;

/// <summary>The configuration cannot be used. Each problem says the key, the value, where it came from and what is allowed.</summary>
public sealed class ConfigurationException : Exception
{
    /// <summary>Nothing said.</summary>
    public ConfigurationException()
    {
    }

    /// <summary>One problem.</summary>
    public ConfigurationException(string message)
        : base(message)
    {
    }

    /// <summary>One problem and what led to it.</summary>
    public ConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>All problems found, a line each.</summary>
    public ConfigurationException(IReadOnlyList<Sentence> problems)
        : base(string.Join('\n', problems)) => Problems = problems;

    /// <summary>The problems.</summary>
    public IReadOnlyList<Sentence> Problems { get; } = [];
}
