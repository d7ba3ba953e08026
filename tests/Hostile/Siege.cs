using PiPub.Scuttlebutt.Handshake;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Hostile;

/// <summary>
/// An attack beside a friend's sync: what the box spent on a message of the friend without it and with it, and the most memory that it
/// took. Processor time is compared, not speed: on the box's own processor, a message that costs twice the time comes at half the speed.
/// </summary>
internal sealed class Siege : IAsyncDisposable
{
    private const int Piece = 800;

    /// <summary>More than all limits together allow in a test, and far less than an attack could fill.</summary>
    private const long MemoryBound = 256L << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly Machine.Background Attackers = new();

    private readonly Friend friend;
    private readonly CancellationTokenSource over = new();
    private readonly List<(Task Task, string What)> musts = [];

    private Siege(Target target, Friend friend) => (Target, this.friend) = (target, friend);

    public Target Target { get; }

    public CancellationToken Over => over.Token;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<Siege> BeginAsync()
    {
        await Machine.LeaveToTheBoxAsync();
        var target = await Target.StartAsync(Machine.OfTheBox);
        var siege = new Siege(target, await Friend.ComeAsync(target));
        _ = await siege.friend.SyncAsync(Piece); // What is slow only once is not measured.
        return siege;
    }

    /// <summary>
    /// Lets a friend sync while the attackers do what they do, and checks on the box afterwards. What anybody may do at once they do in
    /// the beginning, so the figures count from when they have settled.
    /// </summary>
    public async Task EndureAsync(params Func<Task>[] attackers)
    {
        var before = Math.Min(await CostAsync(), await CostAsync());
        Target.ForgetPeak();
        var attacks = attackers.Select(attacker => Attackers.RunAsync(attacker)).ToList();
        var under = new List<double>();
        do
        {
            Assert.True(under.Count < 8, $"Under attack, a friend's messages go on costing the box more than twice as much as before ({before * 1e6:0} us): {Microseconds(under)}.");
            await Task.Delay(500, Stop);
            under.Add(await CostAsync());
        }
        while (under.Count < 3 || under[^1] > 2 * before || under[^2] > 2 * before);

        // Whoever comes now is let in, too.
        await using (var newcomer = await ComeAsync(5001, KeyPair.Generate()))
            await MustAsync(newcomer.Speak(Target).CallAsync("whoami", "[]"u8.ToArray(), Stop), "a newcomer has got an answer");
        foreach (var (task, what) in musts)
            await MustAsync(task, what);
        await over.CancelAsync();
        foreach (var attack in attacks)
            await EndAsync(attack);

        var memory = Target.Peak;
        TestContext.Current.TestOutputHelper!.WriteLine($"The box spent {before * 1e6:0} us on a message, under attack {Microseconds(under)}. Memory at most {memory >> 20} MB.");
        Assert.True(memory < MemoryBound, $"The box took {memory >> 20} MB.");
        _ = await friend.SyncAsync(Piece);
    }

    /// <summary>Comes to the box, and when it is full comes again, as every peer does.</summary>
    public async Task<Guest> ComeAsync(int from, KeyPair key)
    {
        for (var again = 0; ; again++)
        {
            try
            {
                return await Guest.ConnectAsync(Target, Target.Address(from), key);
            }
            catch (Exception e) when (again < 20 && e is HandshakeException or IOException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(300, Stop);
            }
        }
    }

    /// <summary>Waits for something that has to happen while the attack goes on.</summary>
    public static async Task MustAsync(Task task, string what)
    {
        try
        {
            await task.WaitAsync(Patience, Stop);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"After {Patience.TotalSeconds} s it is still not so: {what}.");
        }
    }

    /// <summary>The attack is not over before something has happened: so an attacker that gets little done has done it nevertheless.</summary>
    public void NotOverBefore(Task task, string what) => musts.Add((task, what));

    /// <summary>Waits for something of an attacker, at most until the attack is over.</summary>
    public async Task WaitAsync(Task task) => await Task.WhenAny(task, Task.Delay(Timeout.Infinite, over.Token));

    /// <summary>Goes on among the attackers: what serves the box's own requests begins elsewhere.</summary>
    public static async Task JoinAsync()
    {
        SynchronizationContext.SetSynchronizationContext(Attackers);
        await Task.Yield();
    }

    /// <summary>Nothing of what happened is left in what the box keeps.</summary>
    public Task VerifyAsync() => Target.VerifyAsync();

    public async ValueTask DisposeAsync()
    {
        await over.CancelAsync();
        await friend.DisposeAsync();
        await Target.DisposeAsync();
        over.Dispose();
    }

    /// <summary>Seconds of processor time for each of the next messages.</summary>
    private async Task<double> CostAsync()
    {
        var spent = Target.ProcessorTime;
        _ = await friend.SyncAsync(Piece);
        return (Target.ProcessorTime - spent).TotalSeconds / Piece;
    }

    private static string Microseconds(List<double> costs) => string.Join(", ", costs.Select(static cost => $"{cost * 1e6:0}"));

    private static async Task EndAsync(Task attack)
    {
        try
        {
            await MustAsync(attack, "an attacker has ended, cut off or called back");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Net.Sockets.SocketException or RpcException or HandshakeException)
        {
            // Cut off, or called back.
        }
    }
}
