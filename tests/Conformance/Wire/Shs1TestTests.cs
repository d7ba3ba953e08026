using System.Diagnostics;

namespace PiPub.Conformance.Wire;

/// <summary>
/// shs1-test 1.1.1: starts our program 45 times a role, and behaves well or badly towards it on its standard streams.
/// </summary>
public class Shs1TestTests
{
    [Theory]
    [InlineData("test-client.js", "Passed the client test suite")]
    [InlineData("test-server.js", "Passed the server test suite")]
    public async Task The_harness_finds_no_failure(string script, string verdict)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "secret-handshake");
        Assert.True(File.Exists(program), $"{program} was not built.");
        var start = new ProcessStartInfo("node") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(ConformanceFiles.Suite("shs1-test/" + script));
        start.ArgumentList.Add(program);
        start.ArgumentList.Add("a fixed seed");

        using var harness = Process.Start(start)!;
        var output = harness.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = harness.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await harness.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(harness.ExitCode == 0, $"{harness.ExitCode} cases failed:\n{await output}\n{await errors}");
        Assert.Contains(verdict, await output, StringComparison.Ordinal);
    }
}
