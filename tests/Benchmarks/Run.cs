using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PiPub.Benchmarks.Cases;
using PiPub.Benchmarks.Parts;
using PiPub.Interop;

namespace PiPub.Benchmarks;

/// <summary>
/// A run of <c>make bench</c>. Arguments: <c>--messages N</c> (default 50,000), <c>--large N</c> (200,000), <c>--feeds N</c> (50),
/// <c>--repeat N</c> (3), <c>--idle MINUTES</c> (10), <c>--results FILE</c>, <c>--only CASE,CASE</c> of those that <see cref="Cases"/> names, which keeps the others'
/// lines in the file; <c>--parts</c> runs BenchmarkDotNet on the parts instead.
/// </summary>
internal static class Run
{
    /// <summary>What is measured, in the order of the table.</summary>
    private static readonly string[] Cases = ["ingest", "keeping", "syncs", "large", "crowd", "fan-out", "reconnect", "start", "pages", "circuits", "blobs", "writes"];

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

        var only = Argument(arguments, "--only")?.Split(',') ?? Cases;
        if (only.FirstOrDefault(static one => !Cases.Contains(one)) is { } unknown)
        {
            await Console.Error.WriteLineAsync($"There is no case {unknown}. There are: {string.Join(", ", Cases)}.");
            return 2;
        }

        // As the image starts it (pipub.service): nobody attaches a debugger to a box.
        Environment.SetEnvironmentVariable("DOTNET_EnableDiagnostics", "0");
        var repeat = Number(arguments, "--repeat", 3);
        var (messages, large, feeds) = (Number(arguments, "--messages", 50_000), Number(arguments, "--large", 200_000), Number(arguments, "--feeds", 50));
        var work = Directory.CreateDirectory(Path.Combine(Repository.Root, "out", "bench")).FullName;
        var machine = Machine.Describe();
        var results = new Results(machine, Cases, Argument(arguments, "--results") ?? Path.Combine(Repository.Root, "tests", "Benchmarks", "RESULTS.md"));
        Console.WriteLine(machine);

        var table = "";
        Task<Corpus> Corpora(int count) => Corpus.OpenAsync(work, count, feeds);
        foreach (var name in Cases.Where(only.Contains))
        {
            Console.WriteLine($"{name}:");
            results.Begin(name);
            switch (name)
            {
                case "ingest":
                    await Ingest.RunAsync(work, messages, repeat, results);
                    break;
                case "keeping":
                    await Keeping.RunAsync(work, messages, results);
                    break;
                case "syncs":
                    await SyncComparison.RunAsync(work, await Corpora(messages), repeat, results);
                    break;
                case "large":
                    await SyncComparison.RunLargeAsync(work, await SenderAsync(work, await Corpora(messages)), await Corpora(messages), await Corpora(large), repeat, results);
                    break;
                case "crowd":
                    await CrowdCase.RunAsync(await SenderAsync(work, await Corpora(messages)), await Corpora(messages), results);
                    break;
                case "fan-out":
                    await FanOutCase.RunAsync(await SenderAsync(work, await Corpora(messages)), work, await Corpora(messages), results);
                    break;
                case "reconnect":
                    await ReconnectCase.RunAsync(work, results);
                    break;
                case "start":
                    await StartCase.RunAsync(work, results);
                    break;
                case "pages":
                    await PageCase.RunAsync(work, Corpus.TestNetworkKey, results);
                    break;
                case "circuits":
                    await CircuitsCase.RunAsync(work, Corpus.TestNetworkKey, results);
                    break;
                case "blobs":
                    await BlobCase.RunAsync(work, results);
                    break;
                case "writes":
                    await WritesCase.RunAsync(work, TimeSpan.FromMinutes(Number(arguments, "--idle", 10)), results);
                    break;
            }

            table = await results.WriteAsync();
        }

        Console.WriteLine();
        Console.Write(table);
        return 0;
    }

    /// <summary>A PiPub that holds a corpus, kept for later runs: what the crowds connect with.</summary>
    private static async Task<string> SenderAsync(string work, Corpus corpus)
    {
        var directory = Path.Combine(work, $"crowded-{corpus.Messages}-{corpus.Authors.Length}");
        if (!File.Exists(Path.Combine(directory, "whole")))
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
            Directory.CreateDirectory(directory);
            _ = await new Syncs(corpus, work).JavaScriptToPiPubAsync(keepIn: directory);
            await File.WriteAllTextAsync(Path.Combine(directory, "whole"), "");
        }

        return directory;
    }

    private static int Number(string[] arguments, string name, int usual) => int.Parse(Argument(arguments, name) ?? $"{usual}");

    private static string? Argument(string[] arguments, string name)
    {
        var at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }
}
