using System.CommandLine;
using System.Text;
using PiPub.Appliance.Provisioning;
using PiPub.Configuration;
using PiPub.Node.Sentences;
using PiPub.Web.Access;

namespace PiPub.CommandLine;

/// <summary>
/// <c>pipub provision</c>: applies what the owner wrote on the card of an image, before the node starts. Ends with 0 also when one of
/// the files is wrong, for the box shall start all the same.
/// </summary>
internal static class ProvisionCommand
{
    private const string NodeUser = "pipub";

    public static Command Create()
    {
        var firmware = new Option<string>("--firmware") { Description = "The card's partition that any computer can write, mounted.", HelpName = "directory", Required = true };
        var data = new Option<string>("--data") { Description = "The data partition, mounted.", HelpName = "directory", Required = true };
        var command = new Command("provision", "Check and apply what the owner wrote on the card of an image: pipub.conf, authorized_keys, wifi, claim. Run by the image, as root.") { firmware, data };
        command.SetAction(parsed =>
        {
            var rules = new ProvisioningRules(
                static path => ConfigurationReader.CheckCardSettings(path),
                static code => ClaimCode.Chosen(code) is null ? Sentence.Of($"a code has at least {ClaimCode.Least} letters or digits and at most {ClaimCode.Most} characters.") : null,
                Environment.IsPrivilegedProcess ? FileOwner.Find(NodeUser) : null);
            var report = new CardProvisioning(Path.GetFullPath(parsed.GetValue(firmware)!), Path.GetFullPath(parsed.GetValue(data)!), rules, TimeProvider.System).Apply();
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(SharedOptions.Json) ? Encoding.UTF8.GetString(report.ToJson().Span) : ForPeople(report));
        });
        return command;
    }

    private static string ForPeople(ProvisioningReport report) => string.Join('\n', [
        .. report.Files.Select(static file => $"{file.Name,-16} {file.State.ToString().ToLowerInvariant()}"),
        .. report.Problems.Select(static problem => problem.Said.ToString())]);
}
