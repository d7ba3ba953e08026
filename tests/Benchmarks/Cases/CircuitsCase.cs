using System.Globalization;
using PiPub.BrowserTests;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>What five open pages, each a circuit of its own, take of a box's memory, and what the pages take before anybody has one open.</summary>
internal static class CircuitsCase
{
    private const int Circuits = 5;
    private const int Most = 10_000_000;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    public static async Task RunAsync(string workDirectory, string networkKey, Results results)
    {
        var directory = Path.Combine(workDirectory, $"circuits-{Environment.ProcessId}");
        await using var chromium = new Chromium();
        await chromium.InitializeAsync();
        await using (var pub = await PiPubProcess.StartAsync(directory, networkKey, PreparedBox.Settings))
        {
            var unseen = await AtRestAsync(pub);
            string cookies;
            await using (var visit = await Visit.OpenAsync(chromium, pub))
            {
                await visit.ClaimAsync(pub);
                await visit.FillAsync("Its name, which everybody sees", "Our kitchen box");
                await visit.ClickToAsync("Continue", "/setup/connect");
                await visit.GoLiveAsync("/");
                cookies = await visit.CookiesAsync();
            }

            var seen = await AtRestAsync(pub);
            var visits = new List<Visit>();
            for (var i = 0; i < Circuits; i++)
            {
                visits.Add(await Visit.OpenAsync(chromium, pub, cookies));
                await visits[i].GoLiveAsync("/");
            }

            var open = await AtRestAsync(pub);
            foreach (var visit in visits)
                await visit.DisposeAsync();
            results.Add(new($"memory of {Circuits} open pages", Megabytes(open - seen), $"beyond a box whose pages were looked at: {Megabytes(seen)}", "", "at most 10 MB more", open - seen <= Most));
            results.Add(new("the same and the pages themselves", Megabytes(open - unseen), $"beyond a box that nobody has looked at: {Megabytes(unseen)}", "", "", null));
        }

        Directory.Delete(directory, recursive: true);
    }

    private static async Task<long> AtRestAsync(PiPubProcess pub)
    {
        await Task.Delay(Settling);
        return ProcessMeter.ResidentBytes(pub.ProcessId);
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB";
}
