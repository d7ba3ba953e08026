namespace PiPub.Node.Reachability.Mapping;

/// <summary>
/// Runs calls into libraries that block, one at a time, each on a thread that ends with it: they are rare, and a thread that sleeps for
/// half an hour costs memory. One that does not come back in time is left alone, and keeps the next from beginning.
/// </summary>
internal sealed class BlockingCalls
{
    private readonly Lock _gate = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Runs a call.</summary>
    /// <param name="call">The call; the token tells it between its steps that nobody waits any longer.</param>
    /// <param name="limit">How long to wait for it, and for the one before.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TimeoutException">It did not come back, or the one before did not.</exception>
    public async Task<T> RunAsync<T>(Func<CancellationToken, T> call, TimeSpan limit, CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_gate)
        {
            (before, _last) = (_last, ended.Task);
        }

        try
        {
            await before.WaitAsync(limit, cancellationToken);
        }
        catch
        {
            _ = before.ContinueWith(_ => ended.SetResult(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            throw;
        }

        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var token = waiting.Token;
        var running = Task.Factory.StartNew(
            () =>
            {
                try
                {
                    return call(token);
                }
                finally
                {
                    ended.SetResult();
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);
        try
        {
            return await running.WaitAsync(limit, cancellationToken);
        }
        catch
        {
            await waiting.CancelAsync();
            _ = running.ContinueWith(static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }
}
