using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PiPub.Benchmarks.Parts;
using PiPub.Interop;

namespace PiPub.Benchmarks;

/// <summary>
/// A run of <c>make bench</c>. Arguments: <c>--messages N</c> (default 50,000), <c>--feeds N</c> (50), <c>--repeat N</c> (3),
/// <c>--results FILE</c>, <c>--only javascript</c> (the JavaScript baseline alone), <c>--only ingest</c>, <c>--only keeping</c>, <c>--only pages</c>; <c>--parts</c> runs
/// BenchmarkDotNet on the parts instead.
/// </summary>
internal static class Run
{
    public static async Task<int> MainAsync(string[] arguments)
    {
        LoopbackNamespace.Require();
        if (arguments.Contains("--parts"))
        {
            // In this process: building another project would need the network that this namespace has not.
            var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
            BenchmarkSwitcher.FromAssembly(typeof(Run).Assembly).Run(["--filter", "*"], config);
            return 0;
        }

        var messages = int.Parse(Argument(arguments, "--messages") ?? "50000");
        var feeds = int.Parse(Argument(arguments, "--feeds") ?? "50");
        var repeat = int.Parse(Argument(arguments, "--repeat") ?? "3");
        var work = Directory.CreateDirectory(Path.Combine(Repository.Root, "out", "bench")).FullName;
        var results = new Results();
        Console.WriteLine(Machine.Describe());

        var only = Argument(arguments, "--only");
        if (only is null or "ingest")
            await Ingest.RunAsync(work, messages, repeat, results);
        if (only is null or "keeping")
            await Keeping.RunAsync(work, messages, results);
        var corpus = only is "ingest" or "keeping" or "pages" ? null : await Corpus.OpenAsync(work, messages, feeds);
        if (corpus is not null && only is null or "syncs" or "javascript")
            await SyncComparison.RunAsync(new Syncs(corpus!, work), work, corpus!, repeat, only == "javascript", results);
        if (only is null or "pages")
            await PageRun.RunAsync(work, corpus?.NetworkKey ?? Corpus.TestNetworkKey, results);
        if (corpus is not null && only is null or "crowd")
            await CrowdRun.RunAsync(Path.Combine(work, SyncComparison.SenderDirectory), corpus!, results);

        var markdown = results.ToMarkdown(Machine.Describe(), DateOnly.FromDateTime(DateTime.UtcNow));
        Console.WriteLine();
        Console.Write(markdown);
        await File.WriteAllTextAsync(Argument(arguments, "--results") ?? Path.Combine(Repository.Root, "tests", "Benchmarks", "RESULTS.md"), markdown);
        return 0;
    }

    private static string? Argument(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }
}
