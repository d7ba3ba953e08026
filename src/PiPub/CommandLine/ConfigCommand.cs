using System.CommandLine;
using PiPub.Configuration;

namespace PiPub.CommandLine;

/// <summary><c>pipub config</c>: every setting there is.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var markdown = new Option<bool>("--markdown") { Description = "Print the table in Markdown, as the README shows it." };
        var command = new Command("config", "List every setting: its key, its default, what is allowed, what it does.") { markdown };
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(markdown))
            {
                output.Write(ConfigurationTable.ToMarkdown());
                return;
            }

            foreach (var key in ConfigurationTable.Keys)
            {
                output.WriteLine($"{key.Name} (environment: {key.EnvironmentName})");
                output.WriteLine($"    {key.Description.Replace("`", "")}");
                output.WriteLine($"    Default: {key.Default}. Allowed: {key.Allowed.Replace("`", "")}.");
            }
        });
        return command;
    }
}
