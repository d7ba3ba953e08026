using System.Globalization;
using Microsoft.Playwright;
using PiPub.BrowserTests;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>What the pages of a first visit weigh, and how soon they are to be seen, in a real browser whose cache is empty.</summary>
internal static class PageCase
{
    private const int Visits = 5;
    private const int MostBytes = 250_000;
    private const int MostMilliseconds = 1000;

    /// <summary>Milliseconds from the first byte of the answer to the first paint, and from the request to that first byte.</summary>
    private const string Paint = """
        () => new Promise(done => {
            const navigation = performance.getEntriesByType("navigation")[0];
            new PerformanceObserver(list => done([
                list.getEntriesByName("first-contentful-paint")[0].startTime - navigation.responseStart,
                navigation.responseStart - navigation.requestStart
            ])).observe({ type: "paint", buffered: true });
        })
        """;

    public static async Task RunAsync(string workDirectory, string networkKey, Results results)
    {
        var directory = Path.Combine(workDirectory, $"pages-{Environment.ProcessId}");
        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using (var pub = await PiPubProcess.StartAsync(directory, networkKey, "--log-level", "warn", "--discovery", "off"))
        {
            List<double> paints = [], nothing = [];
            var first = 0.0;
            for (var i = 0; i < Visits; i++)
            {
                var (paint, answer) = await PaintAsync(chromium, pub, "/claim");
                first = i == 0 ? answer : first;
                paints.Add(paint);
                nothing.Add((await PaintAsync(chromium, pub, "/healthz")).Paint);
            }

            var (ours, least) = (Median(paints), Median(nothing));
            results.Add(new("first paint of the first page, after its first byte", $"{ours:0} ms", $"one line of plain text: {least:0} ms",
                (ours / least).ToString("0.0", CultureInfo.InvariantCulture) + " x", "at most 1000 ms", ours <= MostMilliseconds));
            results.Add(new("first byte of the very first page after a start", $"{first:0} ms", "", "", "", null));
            var (bytes, requests) = await WeighAsync(chromium, pub);
            results.Add(new("weight of the three pages of setup, compressed, with all they load", $"{bytes / 1000.0:0} kB", $"{requests} requests",
                ((double)bytes / MostBytes).ToString("0.00", CultureInfo.InvariantCulture), "at most 250 kB", bytes <= MostBytes));
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task<(double Paint, double Answer)> PaintAsync(Chromium chromium, PiPubProcess pub, string path)
    {
        await using var context = await chromium.Browser.NewContextAsync();
        var page = await context.NewPageAsync();
        await page.GotoAsync(Visit.OriginOf(pub) + path);
        var times = await page.EvaluateAsync<double[]>(Paint);
        return (times[0], times[1]);
    }

    /// <summary>Goes the owner's way through setup, and counts what came over the network, headers included.</summary>
    private static async Task<(long Bytes, int Requests)> WeighAsync(Chromium chromium, PiPubProcess pub)
    {
        await using var visit = await Visit.OpenAsync(chromium, pub);
        var network = await visit.Page.Context.NewCDPSessionAsync(visit.Page);
        var (bytes, requests) = (0L, 0);
        network.Event("Network.loadingFinished").OnEvent += (_, finished) =>
        {
            bytes += (long)finished!.Value.GetProperty("encodedDataLength").GetDouble();
            requests++;
        };
        await network.SendAsync("Network.enable");
        await visit.ClaimAsync(pub);
        await visit.FillAsync("Its name, which everybody sees", "Our kitchen box");
        await visit.ClickToAsync("Continue", "/setup/connect");
        await visit.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        return (bytes, requests);
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
