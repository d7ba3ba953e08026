using System.Diagnostics;
using PiPub.Scuttlebutt.Identities;

namespace PiPub.Hostile;

/// <summary>
/// An attack beside a friend's sync: how fast the friend was without it and with it, and what it cost the box in memory. The
/// attacker runs on the same cores as the box, so the figures are worse than anybody else's; with STRICT_RATIOS set, less than half
/// the speed fails the test.
/// </summary>
internal sealed class Siege : IAsyncDisposable
{
    private const int Piece = 1000;

    /// <summary>More than all limits together allow in a test, and far less than an attack could fill.</summary>
    private const long MemoryBound = 256L << 20;

    private readonly Friend friend;
    private readonly CancellationTokenSource over = new();

    private Siege(Target target, Friend friend) => (Target, this.friend) = (target, friend);

    public Target Target { get; }

    public CancellationToken Over => over.Token;

    public static async Task<Siege> BeginAsync()
    {
        var target = await Target.StartAsync();
        var siege = new Siege(target, await Friend.ComeAsync(target));
        _ = await siege.friend.SyncAsync(500); // What is slow only once is not measured.
        return siege;
    }

    /// <summary>Lets a friend sync while the attackers do what they do, and checks on the box afterwards.</summary>
    public async Task EndureAsync(params Func<Task>[] attackers)
    {
        var before = await friend.SyncAsync(Piece) + await friend.SyncAsync(Piece);
        var attack = Task.WhenAll(attackers.Select(attacker => Task.Run(attacker)));
        await Task.Delay(500, TestContext.Current.CancellationToken);
        var (under, memory, clock) = (TimeSpan.Zero, Target.Memory, Stopwatch.StartNew());
        for (var pieces = 0; pieces < 2; pieces++)
        {
            var time = await friend.SyncAsync(Piece);
            under += time;
            memory = Math.Max(memory, Target.Memory);
            await Task.Delay(500, TestContext.Current.CancellationToken);
            memory = Math.Max(memory, Target.Memory);
        }

        // Whoever comes now is let in, too.
        await using (var newcomer = await Guest.ConnectAsync(Target, Target.Address(5001), KeyPair.Generate()))
            _ = await newcomer.Speak(Target).CallAsync("whoami", "[]"u8.ToArray(), TestContext.Current.CancellationToken);
        await over.CancelAsync();
        try
        {
            await attack;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Net.Sockets.SocketException or Scuttlebutt.MuxRpc.RpcException or Scuttlebutt.Handshake.HandshakeException)
        {
            // Cut off, or called back.
        }

        var ratio = before / under;
        TestContext.Current.TestOutputHelper!.WriteLine($"A friend's sync: {2 * Piece / before.TotalSeconds:0}/s before, {2 * Piece / under.TotalSeconds:0}/s under attack, ratio {ratio:0.00}. Memory at most {memory >> 20} MB. {clock.Elapsed.TotalSeconds:0} s of it.");
        Assert.True(memory < MemoryBound, $"The box took {memory >> 20} MB.");
        if (Environment.GetEnvironmentVariable("STRICT_RATIOS") is not null)
            Assert.True(ratio >= 0.5, $"A friend's sync went on at {ratio:0.00} of its speed.");
        _ = await friend.SyncAsync(500);
    }

    /// <summary>Waits for something of an attacker, at most until the attack is over.</summary>
    public async Task WaitAsync(Task task) => await Task.WhenAny(task, Task.Delay(Timeout.Infinite, over.Token));

    /// <summary>Nothing of what happened is left in what the box keeps.</summary>
    public async Task VerifyAsync()
    {
        var (exitCode, output, errors) = await Target.Box.TryCommandAsync("verify");
        Assert.True(exitCode == 0, $"pipub verify is not clean:\n{output}\n{errors}");
    }

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await friend.DisposeAsync();
        await Target.DisposeAsync();
        over.Dispose();
    }
}
