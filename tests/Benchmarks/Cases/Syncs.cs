using System.Diagnostics;
using PiPub.Interop;

namespace PiPub.Benchmarks.Cases;

/// <summary>First syncs between whole processes: an empty receiver follows every author, connects, and gets all there is.</summary>
internal sealed class Syncs(Corpus corpus, string workDirectory)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(5);

    private int receivers;

    /// <summary>ssb-db2 to ssb-db2.</summary>
    public async Task<SyncRun> JavaScriptToJavaScriptAsync()
    {
        await using var sender = await JsPeer.StartAsync(Stack.Modern, corpus.Directory, corpus.NetworkKey);
        return await ToJavaScriptAsync(sender.Address);
    }

    /// <summary>ssb-db2 to PiPub. Its data directory can be kept, to send from it later.</summary>
    public async Task<SyncRun> JavaScriptToPiPubAsync(string? keepIn = null)
    {
        await using var sender = await JsPeer.StartAsync(Stack.Modern, corpus.Directory, corpus.NetworkKey);
        return await ToPiPubAsync(sender.Address, keepIn);
    }

    /// <summary>PiPub to PiPub, the receiver with no more memory than a limit allows, if there is one.</summary>
    public async Task<SyncRun> PiPubToPiPubAsync(string senderDirectory, MemoryLimit? limit = null)
    {
        await using var sender = await PiPubProcess.StartAsync(senderDirectory, corpus.NetworkKey, Quiet);
        return await ToPiPubAsync(sender.Address, keepIn: null, limit);
    }

    /// <summary>ssb-server to ssb-server. What the sender holds came from the corpus once, and is kept for later runs.</summary>
    public async Task<SyncRun> ClassicToClassicAsync()
    {
        var directory = Path.Combine(Path.GetDirectoryName(corpus.Directory)!, "classic");
        if (!File.Exists(Path.Combine(directory, "whole")))
        {
            if (Directory.Exists(directory))
                Directory.Delete(directory, recursive: true);
            Directory.CreateDirectory(directory);
            await using (var source = await JsPeer.StartAsync(Stack.Modern, corpus.Directory, corpus.NetworkKey))
                _ = await ToJavaScriptAsync(source.Address, Stack.Classic, directory);
            await File.WriteAllTextAsync(Path.Combine(directory, "whole"), "");
        }

        await using var sender = await JsPeer.StartAsync(Stack.Classic, directory, corpus.NetworkKey);
        return await ToJavaScriptAsync(sender.Address, Stack.Classic);
    }

    private static string[] Quiet => PreparedBox.Settings;

    private static string[] OnLoopback =>
        ["--ssb-port", "0", "--ssb-bind", "127.0.0.1", "--web-port", "0", "--https-port", "0", "--web-bind", "127.0.0.1", "--public-host", "127.0.0.1"];

    private async Task<SyncRun> ToJavaScriptAsync(string sender, Stack stack = Stack.Modern, string? keepIn = null)
    {
        var directory = keepIn ?? NewDirectory();
        await using var relay = new CountingRelay(sender);
        await using var receiver = await JsPeer.StartAsync(stack, directory, corpus.NetworkKey);
        foreach (var author in corpus.Authors)
            await receiver.FollowAsync(author);
        await Task.Delay(Rest);

        var writtenBefore = ProcessMeter.WrittenBytes(receiver.ProcessId);
        var start = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await receiver.ConnectAsync(relay.Address);
        var end = await receiver.WaitForTotalAsync(corpus.Messages + corpus.Authors.Length, Patience);
        await Task.Delay(Rest);
        var run = new SyncRun((end - start) / 1000.0, ProcessMeter.PeakResidentBytes(receiver.ProcessId),
            ProcessMeter.WrittenBytes(receiver.ProcessId) - writtenBefore, relay.BytesFromTarget);
        await receiver.DisposeAsync();
        if (keepIn is null)
            Directory.Delete(directory, recursive: true);
        return run;
    }

    private async Task<SyncRun> ToPiPubAsync(string sender, string? keepIn, MemoryLimit? limit = null)
    {
        var directory = keepIn ?? NewDirectory();
        await using var relay = new CountingRelay(sender);
        await using var receiver = limit is null
            ? await PiPubProcess.StartAsync(directory, corpus.NetworkKey, Quiet)
            : await PiPubProcess.StartInAsync(limit.Within, directory, corpus.NetworkKey, [.. Quiet, .. OnLoopback]);
        await using var owner = await Owner.ConnectAsync(receiver.Directory);
        foreach (var author in corpus.Authors)
            await owner.CallAsync("publish", $$"""[{"type":"contact","contact":"{{author}}","following":true}]""");
        await Task.Delay(Rest);

        var expected = corpus.Messages + await TotalAsync(owner);
        var writtenBefore = ProcessMeter.WrittenBytes(receiver.ProcessId);
        var clock = Stopwatch.StartNew();
        await owner.CallAsync("conn.connect", $"[\"{relay.Address}\"]");
        do
        {
            if (clock.Elapsed > Patience)
                throw new TimeoutException($"The receiving PiPub holds {await TotalAsync(owner)} of {expected} messages.\n{receiver.Log}");
            await QuietAsync(relay);
        }
        while (await TotalAsync(owner) < expected);
        var seconds = clock.Elapsed.TotalSeconds;
        await Task.Delay(Rest);
        var run = new SyncRun(seconds, ProcessMeter.PeakResidentBytes(receiver.ProcessId),
            ProcessMeter.WrittenBytes(receiver.ProcessId) - writtenBefore, relay.BytesFromTarget);
        await receiver.StopAsync();
        if (keepIn is null)
            Directory.Delete(directory, recursive: true);
        return run;
    }

    /// <summary>Waits until nothing has come over the wire for a moment: to ask the receiver earlier would cost it time and memory.</summary>
    private static async Task QuietAsync(CountingRelay relay)
    {
        long before;
        do
        {
            before = relay.BytesFromTarget;
            await Task.Delay(20);
        }
        while (relay.BytesFromTarget != before);
    }

    private static async Task<long> TotalAsync(Owner owner)
    {
        var total = 0L;
        foreach (var feed in (await owner.CallAsync("getVectorClock")).EnumerateObject())
            total += feed.Value.GetInt64();
        return total;
    }

    private string NewDirectory() =>
        Directory.CreateDirectory(Path.Combine(workDirectory, $"receiver-{Environment.ProcessId}-{++receivers}")).FullName;
}
