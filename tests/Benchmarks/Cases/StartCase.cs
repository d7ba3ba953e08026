using System.Diagnostics;
using System.Globalization;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>How soon a box with a hundred thousand messages is there for its peers and its owner, what it then takes of memory, and how soon views that were lost are back.</summary>
internal static class StartCase
{
    private const int Feeds = 50;
    private const int PostsEach = 2000;
    private const int Starts = 5;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    public static async Task RunAsync(string workDirectory, Results results)
    {
        var directory = Path.Combine(workDirectory, "start");
        _ = await PreparedBox.MakeAsync(directory, Corpus.TestNetworkKey, Feeds, PostsEach);
        List<double> listening = [], page = [];
        var idle = 0L;
        for (var i = 0; i < Starts; i++)
        {
            var (ready, seen, memory) = await StartAsync(directory, measureMemory: i == 0);
            listening.Add(ready);
            page.Add(seen);
            idle = Math.Max(idle, memory);
        }

        listening.Sort();
        page.Sort();
        const int Messages = (Feeds * PostsEach) + Feeds;
        results.Add(new($"from the start of the process to listening, {Messages:N0} messages", $"{listening[Starts / 2]:0} ms", "", "", "at most 500 ms", listening[Starts / 2] <= 500));
        results.Add(new("and to the first page", $"{page[Starts / 2]:0} ms", "", "", "at most 500 ms", page[Starts / 2] <= 500));
        results.Add(new("memory at rest with them", (idle / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB", "", "", "at most 80 MB", idle <= 80_000_000));

        foreach (var file in Directory.GetFiles(directory, "views.sqlite*"))
            File.Delete(file);
        // The box listens only once they are there.
        var clock = Stopwatch.StartNew();
        await using var pub = await PiPubProcess.StartAsync(directory, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using var owner = await Owner.ConnectAsync(pub.Directory);
        await PreparedBox.CatchUpAsync(owner);
        var beyond = Math.Max(1, clock.Elapsed.TotalMilliseconds - listening[Starts / 2]);
        var rate = Messages / beyond * 1000;
        results.Add(new("views made anew at a start", $"{rate:N0} messages/s", $"{beyond:0} ms more than a start that finds them", "", "at least 100,000/s", rate >= 100_000));
        await pub.StopAsync();
    }

    private static async Task<(double Listening, double Page, long Idle)> StartAsync(string directory, bool measureMemory)
    {
        var clock = Stopwatch.StartNew();
        await using var pub = await PiPubProcess.StartAsync(directory, Corpus.TestNetworkKey, PreparedBox.Settings);
        var listening = clock.Elapsed.TotalMilliseconds;
        var idle = 0L;
        if (measureMemory)
        {
            // Nobody has looked at the pages yet, as on most days.
            await Task.Delay(Settling);
            idle = ProcessMeter.ResidentBytes(pub.ProcessId);
        }

        clock.Restart();
        using var http = new HttpClient();
        using var answer = await http.GetAsync($"http://127.0.0.1:{pub.Web}/claim");
        answer.EnsureSuccessStatusCode();
        var page = listening + clock.Elapsed.TotalMilliseconds;
        await pub.StopAsync();
        return (listening, page, idle);
    }
}
