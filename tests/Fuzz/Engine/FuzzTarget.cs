namespace PiPub.Fuzz;

/// <summary>Something that reads what a stranger wrote, with the rules that hold whatever that is.</summary>
internal abstract class FuzzTarget
{
    /// <summary>Its name, and that of its folder in Corpus.</summary>
    public abstract string Name { get; }

    /// <summary>Inputs to begin with: real ones, so that mangling starts where it matters.</summary>
    public abstract IEnumerable<byte[]> Seeds { get; }

    /// <summary>Words that are put in here and there, which chance would hardly find.</summary>
    public virtual IReadOnlyList<byte[]> Words => [];

    /// <summary>The longest input that is made.</summary>
    public virtual int MaxInput => 4096;

    /// <summary>The most memory that one execution may take, in bytes, with what the target itself makes of the input.</summary>
    public virtual long AllowedBytes(int length) => (1 << 18) + (256L * length);

    /// <summary>Executes once. Whatever it throws is a finding.</summary>
    public abstract void Run(ReadOnlySpan<byte> input);

    /// <summary>A rule that must hold.</summary>
    /// <exception cref="FindingException">It does not.</exception>
    protected static void Require(bool holds, string rule)
    {
        if (!holds)
        {
            throw new FindingException(rule);
        }
    }
}

/// <summary>A rule did not hold.</summary>
internal sealed class FindingException(string message) : Exception(message);
