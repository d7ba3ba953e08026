using System.CommandLine;
using PiPub.Configuration;

namespace PiPub.CommandLine;

/// <summary>Options that every sub-command understands, and the way from a parsed command line to the box's options.</summary>
internal static class SharedOptions
{
    public static Option<string?> Config { get; } = new("--config")
    {
        Description = $"The configuration file. Default: {ConfigurationReader.FileName} in the data directory.",
        HelpName = "file",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON instead of text for people.",
        Recursive = true,
    };

    /// <summary>The one setting that matters to a command which speaks to a running node: which node.</summary>
    public static Option<string[]> DataDirectory { get; } = FromTable(ConfigurationTable.Keys[0], recursive: true);

    /// <summary>An option for a key of the configuration.</summary>
    public static Option<string[]> FromTable(ConfigurationKey key, bool recursive = false) => new("--" + key.Name)
    {
        Description = $"{key.Description.Replace("`", "")} Allowed: {key.Allowed.Replace("`", "")}. Default: {key.Default}.",
        HelpName = key.IsList ? "values" : "value",
        // Given twice, a single-valued key is refused by the reader in the same words as everywhere else.
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        Recursive = recursive,
    };

    /// <summary>Reads the configuration for a command that was given <paramref name="options"/> besides the shared ones.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public static PiPubOptions Read(ParseResult parsed, params IEnumerable<Option<string[]>> options)
    {
        var given = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        foreach (var option in options.Prepend(DataDirectory))
        {
            if (parsed.GetResult(option) is { Implicit: false })
            {
                given.Add(new(option.Name[2..], parsed.GetValue(option) ?? []));
            }
        }

        return ConfigurationReader.Read(parsed.GetValue(Config), Environment.GetEnvironmentVariables(), given);
    }
}
