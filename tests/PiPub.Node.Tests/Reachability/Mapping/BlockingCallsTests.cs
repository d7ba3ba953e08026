using PiPub.Node.Reachability.Mapping;

namespace PiPub.Node.Tests.Reachability.Mapping;

public sealed class BlockingCallsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task A_call_that_does_not_come_back_is_left_alone_and_no_other_begun_until_it_does()
    {
        var calls = new BlockingCalls();
        using var released = new ManualResetEventSlim();
        var isTold = false;
        await Assert.ThrowsAsync<TimeoutException>(() => calls.RunAsync(
            stop =>
            {
                released.Wait(CancellationToken.None);
                isTold = stop.IsCancellationRequested;
                return 0;
            },
            Short,
            TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<TimeoutException>(() => calls.RunAsync(static _ => 1, Short, TestContext.Current.CancellationToken));

        released.Set();
        Assert.Equal(2, await calls.RunAsync(static _ => 2, Long, TestContext.Current.CancellationToken));
        Assert.True(isTold);
    }

    [Fact]
    public async Task Who_gives_up_does_not_wait_for_the_call()
    {
        var calls = new BlockingCalls();
        using var released = new ManualResetEventSlim();
        using var giveUp = new CancellationTokenSource();
        var running = calls.RunAsync(_ => { released.Wait(CancellationToken.None); return 0; }, Long, giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        released.Set();
    }

    [Fact]
    public async Task A_call_that_fails_does_not_keep_the_next_from_beginning()
    {
        var calls = new BlockingCalls();
        await Assert.ThrowsAsync<InvalidOperationException>(() => calls.RunAsync<int>(static _ => throw new InvalidOperationException(), Long, TestContext.Current.CancellationToken));
        Assert.Equal(2, await calls.RunAsync(static _ => 2, Long, TestContext.Current.CancellationToken));
    }
}
