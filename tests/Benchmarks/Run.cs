using PiPub.Interop;

namespace PiPub.Benchmarks;

/// <summary>
/// A run of <c>make bench</c>. Arguments: <c>--messages N</c> (default 50,000), <c>--feeds N</c> (50), <c>--repeat N</c> (3),
/// <c>--results FILE</c>, <c>--only javascript</c> (the JavaScript baseline alone).
/// </summary>
internal static class Run
{
    public static async Task<int> MainAsync(string[] arguments)
    {
        LoopbackNamespace.Require();
        var messages = int.Parse(Argument(arguments, "--messages") ?? "50000");
        var feeds = int.Parse(Argument(arguments, "--feeds") ?? "50");
        var repeat = int.Parse(Argument(arguments, "--repeat") ?? "3");
        var work = Directory.CreateDirectory(Path.Combine(Repository.Root, "out", "bench")).FullName;
        var results = new Results();
        Console.WriteLine(Machine.Describe());

        var corpus = await Corpus.OpenAsync(work, messages, feeds);
        await SyncComparison.RunAsync(new Syncs(corpus, work), work, corpus, repeat, Argument(arguments, "--only") == "javascript", results);

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
