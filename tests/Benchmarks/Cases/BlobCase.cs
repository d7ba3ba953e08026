using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>Blobs of the largest size that every peer takes, from one process to another.</summary>
internal static class BlobCase
{
    private const int Size = (5 * 1024 * 1024) - 1;
    private const int Blobs = 12;

    public static async Task RunAsync(string workDirectory, Results results)
    {
        double ours = await PiPubAsync(workDirectory), theirs = await JavaScriptAsync(workDirectory);
        results.Add(new($"{Blobs} blobs of 5 MiB less a byte, one after the other", $"{Rate(ours):0.0} MB/s", $"ssb-db2's ssb-blobs: {Rate(theirs):0.0} MB/s",
            $"{theirs / ours:0.00} x", "at least 3 times faster", theirs / ours >= 3));
    }

    private static double Rate(double seconds) => Blobs * (double)Size / 1e6 / seconds;

    private static async Task<double> PiPubAsync(string workDirectory)
    {
        var (one, other) = (Fresh(workDirectory, "blobs-1"), Fresh(workDirectory, "blobs-2"));
        await using var sender = await PiPubProcess.StartAsync(one, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using var receiver = await PiPubProcess.StartAsync(other, Corpus.TestNetworkKey, PreparedBox.Settings);
        await using var owner = await Owner.ConnectAsync(receiver.Directory);
        await owner.CallAsync("publish", $$"""[{"type":"contact","contact":"{{sender.Id}}","following":true}]""");
        var ids = new List<string>();
        for (var i = 0; i < Blobs; i++)
        {
            var file = Path.Combine(workDirectory, "blob");
            await File.WriteAllBytesAsync(file, RandomNumberGenerator.GetBytes(Size));
            var added = await sender.CommandAsync("blobs", "add", file);
            ids.Add(added.ValueKind == JsonValueKind.String ? added.GetString()! : added.GetProperty("id").GetString()!);
        }

        await owner.CallAsync("conn.connect", $"[\"{sender.Address}\"]");
        await Task.Delay(TimeSpan.FromSeconds(2));
        var clock = Stopwatch.StartNew();
        foreach (var id in ids)
            await owner.CallAsync("blobs.want", JsonSerializer.Serialize(new[] { id }));
        return clock.Elapsed.TotalSeconds;
    }

    private static async Task<double> JavaScriptAsync(string workDirectory)
    {
        var (one, other) = (Fresh(workDirectory, "blobs-3"), Fresh(workDirectory, "blobs-4"));
        await using var sender = await JsPeer.StartAsync(Stack.Modern, one, Corpus.TestNetworkKey);
        await using var receiver = await JsPeer.StartAsync(Stack.Modern, other, Corpus.TestNetworkKey);
        await receiver.FollowAsync(sender.Id);
        await sender.FollowAsync(receiver.Id);
        var ids = new List<string>();
        for (var i = 0; i < Blobs; i++)
            ids.Add(await sender.AddBlobAsync($"blob {i}", Size));
        await receiver.ConnectAsync(sender.Address);
        await Task.Delay(TimeSpan.FromSeconds(2));
        var clock = Stopwatch.StartNew();
        foreach (var id in ids)
            await receiver.WantBlobAsync(id);
        return clock.Elapsed.TotalSeconds;
    }

    private static string Fresh(string workDirectory, string name)
    {
        var directory = Path.Combine(workDirectory, name);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        return Directory.CreateDirectory(directory).FullName;
    }
}
