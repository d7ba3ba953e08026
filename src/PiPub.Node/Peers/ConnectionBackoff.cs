namespace PiPub.Node.Peers;

/// <summary>How long to leave an address alone.</summary>
/// <remarks>
/// Source: ssb-conn 6.0.4 conn-scheduler.js, calculateCooldown: 4 s + min(64, failures)³ · 10 s and 1 s a hop, shorter while few
/// connections stand; halved when it was never tried and for three in ten at random; · 0.7 in the local network; · 3 when it
/// never worked. An address that the owner gave waits a quarter of an hour at most: it is wanted.
/// </remarks>
internal static class ConnectionBackoff
{
    public static readonly TimeSpan LongestForOwner = TimeSpan.FromMinutes(15);

    /// <param name="address">What is known of the address.</param>
    /// <param name="hops">Distance of its feed, 0 when it does not matter.</param>
    /// <param name="fullness">How many of the wanted connections stand, 0 to 1.</param>
    /// <param name="chance">A random number, 0 to 1.</param>
    public static TimeSpan Pause(in Experience address, int hops, double fullness, double chance)
    {
        var failures = Math.Min(64, address.Failures);
        var seconds = hops + 4 + (10.0 * failures * failures * failures);
        seconds *= Math.Max(0.1, fullness);
        if (!address.WasTried)
        {
            seconds *= 0.5;
        }

        if (chance < 0.3)
        {
            seconds *= 0.5;
        }

        if (address.IsLocal)
        {
            seconds *= 0.7;
        }

        if (address.Failures > 0 && !address.EverWorked)
        {
            seconds *= 3;
        }

        var pause = TimeSpan.FromSeconds(seconds);
        return address.IsOwners && pause > LongestForOwner ? LongestForOwner : pause;
    }

    /// <summary>What the pause depends on.</summary>
    public readonly record struct Experience(int Failures, bool WasTried, bool EverWorked, bool IsLocal, bool IsOwners);
}
