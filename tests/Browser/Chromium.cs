using System.Reflection;
using Microsoft.Playwright;
using PiPub.Interop;

[assembly: AssemblyFixture(typeof(PiPub.BrowserTests.Chromium))]
// Each test runs a box, a browser's tabs and perhaps a peer: two at a time are what a small machine carries.
[assembly: CollectionBehavior(MaxParallelThreads = 2)]

namespace PiPub.BrowserTests;

/// <summary>Debian's chromium, one process for all tests; each visit has a profile of its own in it.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IPlaywright playwright = null!;

    internal IBrowser Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var driver = Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().Single(static one => one.Key == "PlaywrightDriver").Value;
        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", driver);
        playwright = await Playwright.CreateAsync();
        // Else five seconds, which a busy machine needs for one page.
        Assertions.SetDefaultExpectTimeout(Visit.PatienceInMilliseconds);
        Browser = await LaunchAsync();
    }

    /// <summary>Starts another one that trusts an authority as a person tells it to, and finds the box by its name.</summary>
    /// <param name="home">A new directory, where it keeps that.</param>
    /// <param name="certificate">The authority's certificate, in a file.</param>
    /// <param name="name">The box's name, which leads to loopback.</param>
    internal async Task<IBrowser> LaunchTrustingAsync(string home, string certificate, string name)
    {
        var trusted = Directory.CreateDirectory(Path.Combine(home, ".pki", "nssdb")).FullName;
        foreach (var arguments in (string[][])[["-N", "--empty-password"], ["-A", "-n", "the box", "-t", "C,,", "-i", certificate]])
        {
            var (code, output, errors) = await ChildProcess.RunAsync("certutil", ["-d", "sql:" + trusted, .. arguments], TestContext.Current.CancellationToken);
            Assert.True(code == 0, $"certutil ended with {code}: {output} {errors}");
        }

        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(static one => (string)one.Key, static one => (string)one.Value!);
        environment["HOME"] = home;
        return await LaunchAsync($"--host-resolver-rules=MAP {name} 127.0.0.1", environment);
    }

    private Task<IBrowser> LaunchAsync(string? option = null, Dictionary<string, string>? environment = null) =>
        playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = "/usr/bin/chromium",
            Env = environment,
            Args = [.. option is null ? (string[])[] : [option],
                "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
        });

    public async ValueTask DisposeAsync()
    {
        // What does not end by itself ends with Playwright's driver; else the whole run would wait for it.
        if (Browser is not null)
            await Task.WhenAny(Browser.CloseAsync(), Task.Delay(TimeSpan.FromSeconds(30)));
        playwright?.Dispose();
    }
}
