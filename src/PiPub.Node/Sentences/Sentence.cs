using System.Globalization;

namespace PiPub.Node.Sentences;

/// <summary>
/// What the box says to a person: in English, with the values that stand in it kept apart, so that the pages can say the same in
/// other languages. A value may be a sentence itself.
/// </summary>
/// <remarks>A test reads the words behind each <c>Sentence.Of($"</c> and tells what the pages' languages lack of them.</remarks>
public sealed partial class Sentence : IEquatable<Sentence>
{
    private Sentence(string format, object?[] values, bool isVerbatim) => (Format, Values, IsVerbatim) = (format, values, isVerbatim);

    /// <summary>The English words, with <c>{0}</c> and so on where the values stand.</summary>
    public string Format { get; }

    /// <summary>The values.</summary>
    public IReadOnlyList<object?> Values { get; }

    /// <summary>Whether it is somebody else's, such as the operating system's, and is said as it is in every language.</summary>
    public bool IsVerbatim { get; }

    /// <summary>A sentence of the box's own.</summary>
    public static Sentence Of(FormattableString words)
    {
        ArgumentNullException.ThrowIfNull(words);
        return new(words.Format, words.GetArguments(), isVerbatim: false);
    }

    /// <summary>A sentence that stays as it is.</summary>
    public static Sentence Verbatim(string words) => new(words, [], isVerbatim: true);

    /// <summary>What an error says: in its own words, if it has any that can be translated.</summary>
    public static Sentence From(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error is SaidException { Said: var said } ? said : Verbatim(error.Message);
    }

    /// <summary>In English.</summary>
    public override string ToString() => IsVerbatim ? Format : string.Format(CultureInfo.InvariantCulture, Format, [.. Values]);

    /// <summary>Two sentences are the same when they say the same.</summary>
    public bool Equals(Sentence? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Sentence);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}
