namespace PiPub.Configuration;

/// <summary>One key of the configuration: a row of <see cref="ConfigurationTable"/>.</summary>
/// <param name="Name">The key as the file writes it, in kebab-case.</param>
/// <param name="Default">The built-in default, in words or as it would be written.</param>
/// <param name="Allowed">What may be written.</param>
/// <param name="Description">What it does, in a sentence or two.</param>
/// <param name="Apply">Reads the texts given (one, unless <paramref name="IsList"/>) into the options.
/// A <see cref="FormatException"/> says that they are not allowed.</param>
/// <param name="IsList">True when it may be given several times, or several times in one line with commas between.</param>
/// <param name="IsOfMachine">True when it is about this machine: a backup does not carry it to another.</param>
/// <param name="IsOnPages">True when the pages change it. A factory reset takes it out of the file.</param>
public sealed record ConfigurationKey(
    string Name,
    string Default,
    string Allowed,
    string Description,
    Action<PiPubOptions, IReadOnlyList<string>> Apply,
    bool IsList = false,
    bool IsOnPages = false,
    bool IsOfMachine = false)
{
    /// <summary>The key as an environment variable: <c>PIPUB_</c>, upper case, dashes to underscores.</summary>
    public string EnvironmentName => ConfigurationTable.EnvironmentPrefix + Name.Replace('-', '_').ToUpperInvariant();
}
