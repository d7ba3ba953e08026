namespace PiPub.Interop;

/// <summary>Waiting for what happens in another process, without a word of how long it may take on a good day.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <exception cref="TimeoutException">It never became true.</exception>
    public static async Task BecomesTrueAsync(Func<Task<bool>> condition, string what, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        var deadline = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(deadline) > limit)
                throw new TimeoutException($"After {limit.TotalSeconds} s it is still not so: {what}.");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
