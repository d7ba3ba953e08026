using System.Globalization;
using PiPub.CommandLine;
using PiPub.Configuration;

namespace PiPub.Tests.CommandLine;

public sealed class HelpTests
{
    private static readonly string[][] EveryCommand =
    [
        ["run"], ["claim"], ["whoami"], ["status"], ["health"], ["restart"], ["invite", "create"], ["invite", "list"], ["invite", "revoke"], ["follow"], ["unfollow"], ["block"],
        ["publish"], ["peers"], ["connect"], ["feeds"], ["blobs", "add"], ["blobs", "get"], ["blobs", "want"], ["log", "export"], ["import"], ["verify"], ["config"], ["provision"],
        ["backup", "create"], ["backup", "check"], ["backup", "restore"], ["backup", "passphrase"], ["backup", "words"],
    ];

    [Fact]
    public async Task Every_command_explains_itself()
    {
        foreach (var command in EveryCommand)
        {
            var (code, output) = await RunAsync([.. command, "--help"]);
            Assert.Equal(0, code);
            Assert.Contains($" {string.Join(' ', command)} ", output, StringComparison.Ordinal);
            Assert.Contains("--json", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_help_of_run_lists_every_setting_and_that_of_others_does_not()
    {
        var (_, run) = await RunAsync("run", "--help");
        Assert.All(ConfigurationTable.Keys, key => Assert.Contains("--" + key.Name, run, StringComparison.Ordinal));
        var (_, whoami) = await RunAsync("whoami", "--help");
        Assert.DoesNotContain("--blob-quota", whoami, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_lists_every_setting()
    {
        var (_, text) = await RunAsync("config");
        Assert.All(ConfigurationTable.Keys, key => Assert.Contains($"{key.Name} (environment: {key.EnvironmentName})", text, StringComparison.Ordinal));
        Assert.Equal(ConfigurationTable.ToMarkdown(), (await RunAsync("config", "--markdown")).Output);
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        return (await Commands.RunAsync(arguments, output, output, TestContext.Current.CancellationToken), output.ToString());
    }
}
