using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using PiPub.Hostile;
using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.Invites;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Soak;

/// <summary>What a pub's peers, its owner, visitors of its pages and a few offenders do, all at once and again and again.</summary>
internal sealed class Traffic(Target target) : IAsyncDisposable
{
    private const int Members = 8;

    private readonly CancellationTokenSource over = new();
    private readonly ConcurrentDictionary<string, int> done = new();
    private readonly ConcurrentDictionary<string, (int Count, string Last)> failed = new();
    private readonly List<Member> members = [.. Enumerable.Range(0, Members).Select(static _ => new Member())];
    private readonly List<Task> work = [];
    private readonly HttpClient http = new() { BaseAddress = new Uri($"http://127.0.0.1:{target.Box.Web}"), Timeout = TimeSpan.FromSeconds(30) };
    private int visitors;

    public void Begin()
    {
        foreach (var (number, member) in members.Index())
        {
            work.Add(Task.Run(async () =>
            {
                _ = await target.Box.CommandAsync("follow", member.Key.Id.ToString(), "--privately");
                await AgainAsync("member's visits", 200, () => member.VisitAsync(target, 100 + number, over.Token));
            }));
            if (number % 2 == 0)
                Repeat("feeds read", 300, () => ReadAsync(member));
        }

        Repeat("blobs there and back", 3000, BlobAsync);
        Repeat("invites redeemed", 4000, InviteAsync);
        Repeat("posts of the box", 3000, async () => _ = await target.Box.CommandAsync("publish", """{"type":"post","text":"what the box itself says"}"""));
        Repeat("pages", 200, PageAsync);
        Repeat("offenders", 1000, OffendAsync);
        Repeat("handshakes left open", 500, DawdleAsync);
    }

    /// <summary>How much was done so far.</summary>
    public string Describe() =>
        $"{members.Sum(static one => one.Written)} messages, " + string.Join(", ", done.OrderBy(static one => one.Key, StringComparer.Ordinal).Select(static one => $"{one.Value} {one.Key}"))
        + string.Concat(failed.Select(static one => $"; failed: {one.Value.Count} {one.Key} ({one.Value.Last})"));

    /// <summary>Stops all of it, and tells what is not as it should be.</summary>
    public async Task<List<string>> EndAsync()
    {
        await over.CancelAsync();
        await Task.WhenAll(work);
        var complaints = failed.Where(one => one.Value.Count > done.GetValueOrDefault(one.Key) / 10)
            .Select(static one => $"{one.Value.Count} {one.Key} failed, the last: {one.Value.Last}").ToList();
        foreach (var member in members)
        {
            // What was under way when it left, it hands over once more.
            for (var tries = 0; await target.Box.SequenceAsync(member.Key.Id.ToString()) < member.Written; tries++)
            {
                if (tries == 5)
                {
                    complaints.Add($"of {member.Written} messages of a member the box has {await target.Box.SequenceAsync(member.Key.Id.ToString())}.");
                    break;
                }

                using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(5));
                await TryAsync("last visits", () => member.VisitAsync(target, 99, enough.Token));
            }
        }

        var (exitCode, output, errors) = await target.Box.TryCommandAsync("verify");
        if (exitCode != 0)
            complaints.Add($"pipub verify is not clean:\n{output}\n{errors}");
        return complaints;
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        over.Dispose();
        http.Dispose();
    }

    private void Repeat(string what, int pause, Func<Task> once) => work.Add(Task.Run(() => AgainAsync(what, pause, once)));

    private async Task AgainAsync(string what, int pause, Func<Task> once)
    {
        while (!over.IsCancellationRequested)
        {
            await TryAsync(what, once);
            await Task.Delay(pause, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task TryAsync(string what, Func<Task> once)
    {
        try
        {
            await once();
            _ = done.AddOrUpdate(what, 1, static (_, count) => count + 1);
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // The end.
        }
        catch (Exception e)
        {
            _ = failed.AddOrUpdate(what, (1, e.Message), (_, before) => (before.Count + 1, e.Message));
        }
    }

    /// <summary>A visitor's address: each comes seldom.</summary>
    private System.Net.IPAddress Visitor() => Target.Address(1000 + (Interlocked.Increment(ref visitors) % 2000));

    private async Task ReadAsync(Member member)
    {
        await using var guest = await Guest.ConnectAsync(target, Visitor());
        var stream = guest.Speak(target).Open("createHistoryStream", CallType.Source, Encoding.UTF8.GetBytes($$"""[{"id":"{{member.Key.Id}}","limit":500,"keys":false}]"""));
        while (await stream.ReadAsync(over.Token) is not null)
        {
            // Read and forgotten.
        }
    }

    private async Task BlobAsync()
    {
        var file = Path.GetTempFileName();
        try
        {
            var content = RandomNumberGenerator.GetBytes(300_000);
            await File.WriteAllBytesAsync(file, content, over.Token);
            var id = (await target.Box.CommandAsync("blobs", "add", file)).GetProperty("id").GetString();
            await using var guest = await Guest.ConnectAsync(target, Visitor());
            var stream = guest.Speak(target).Open("blobs.get", CallType.Source, Encoding.UTF8.GetBytes($"[\"{id}\"]"));
            var came = 0;
            while (await stream.ReadAsync(over.Token) is { } piece)
                came += piece.Bytes.Length;
            if (came != content.Length)
                throw new IOException($"{came} bytes of {content.Length} came back.");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private async Task InviteAsync()
    {
        var code = InviteCode.Parse(await target.Box.CreateInviteAsync());
        await using var guest = await Guest.ConnectAsync(target, Visitor(), code.ToKeyPair());
        _ = await guest.Speak(target).CallAsync("invite.use", Encoding.UTF8.GetBytes($$"""[{"feed":"{{KeyPair.Generate().Id}}"}]"""), over.Token);
    }

    private async Task PageAsync()
    {
        foreach (var path in new[] { "/", "/healthz", "/login" })
        {
            using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), over.Token);
            _ = await answer.Content.ReadAsByteArrayAsync(over.Token);
            if ((int)answer.StatusCode >= 500)
                throw new IOException($"{path} was answered with {answer.StatusCode}.");
        }
    }

    private async Task OffendAsync()
    {
        await using var guest = await Guest.ConnectAsync(target, Visitor());
        await guest.WriteAsync(2, 1, "{", announced: uint.MaxValue);
        await guest.DrainAsync();
    }

    private async Task DawdleAsync()
    {
        try
        {
            using var socket = await target.ConnectAsync(Visitor());
            while (await socket.ReceiveAsync(new byte[64], SocketFlags.None, over.Token) > 0)
            {
                // Until the box has had enough.
            }
        }
        catch (Exception e) when (e is SocketException or HandshakeException)
        {
            // That is how it ends.
        }
    }
}
