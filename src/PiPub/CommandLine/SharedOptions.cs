using System.CommandLine;
using System.CommandLine.Parsing;
using PiPub.Configuration;

namespace PiPub.CommandLine;

/// <summary>Options that every sub-command understands, and the way from a parsed command line to the box's options.</summary>
internal static class SharedOptions
{
    public static Option<string?> Config { get; } = new("--config")
    {
        Description = $"The configuration file. Default: {ConfigurationReader.FileName} in the data directory. The environment variable PIPUB_CONFIG can name it too.",
        HelpName = "file",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON instead of text for people.",
        Recursive = true,
    };

    /// <summary>The one setting that matters to a command which speaks to a running node: which node.</summary>
    private static Option<string[]> DataDirectory { get; } = Setting(ConfigurationTable.Keys[0], recursive: true);

    /// <summary>Gives a command the shared options: those that everybody sees.</summary>
    public static void AddTo(RootCommand root)
    {
        root.Add(DataDirectory);
        root.Add(Config);
        root.Add(Json);
        foreach (var command in root.Subcommands)
        {
            AddSettings(command);
        }
    }

    /// <summary>Reads the configuration that a command was given.</summary>
    /// <exception cref="ConfigurationException">It cannot be used.</exception>
    public static PiPubOptions Read(ParseResult parsed)
    {
        var given = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        foreach (var key in ConfigurationTable.Keys)
        {
            if (parsed.GetResult("--" + key.Name) is OptionResult { Implicit: false } result)
            {
                given.Add(new(key.Name, result.GetValueOrDefault<string[]>() ?? []));
            }
        }

        return ConfigurationReader.Read(parsed.GetValue(Config), Environment.GetEnvironmentVariables(), given);
    }

    /// <summary>Every command takes every setting, so that one set of options serves them all; only `run` shows them.</summary>
    private static void AddSettings(Command command)
    {
        foreach (var subcommand in command.Subcommands)
        {
            AddSettings(subcommand);
        }

        if (command.Subcommands.Count == 0)
        {
            foreach (var key in ConfigurationTable.Keys.Skip(1))
            {
                var option = Setting(key, recursive: false);
                option.Hidden = command.Name != RunCommand.Name;
                command.Add(option);
            }
        }
    }

    private static Option<string[]> Setting(ConfigurationKey key, bool recursive) => new("--" + key.Name)
    {
        Description = $"{key.Description.Replace("`", "")} Allowed: {key.Allowed.Replace("`", "")}. Default: {key.Default}.",
        HelpName = key.IsList ? "values" : "value",
        // Given twice, a key with one value is refused by the reader, in the same words as everywhere else.
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
        Recursive = recursive,
    };
}
