using System.Net;

namespace PiPub.Web.Access;

/// <summary>
/// Slows down whoever guesses passwords and claim codes: a few wrong ones from an address are free, each further one doubles
/// the pause, and so it goes for all addresses together, with more for free. A right one clears its address.
/// </summary>
/// <remarks>IPv6 addresses count by their /64, since a home has that many of them.</remarks>
public sealed class AttemptLimit(TimeProvider time)
{
    private const int FreeForAddress = 5;
    private const int FreeForAll = 50;
    private const int MaxAddresses = 4096;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestForAddress = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestForAll = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Failures> _byAddress = [];
    private Failures _all;

    /// <summary>How long an address has to wait before its next attempt is looked at; zero when it need not.</summary>
    public TimeSpan Wait(IPAddress address)
    {
        lock (_gate)
        {
            var own = _byAddress.TryGetValue(Network(address), out var failures) ? Left(failures, FreeForAddress, LongestForAddress) : TimeSpan.Zero;
            var all = Left(_all, FreeForAll, LongestForAll);
            return own > all ? own : all;
        }
    }

    /// <summary>An attempt was wrong.</summary>
    public void Failed(IPAddress address)
    {
        lock (_gate)
        {
            var network = Network(address);
            if (_byAddress.Count >= MaxAddresses && !_byAddress.ContainsKey(network))
            {
                // So many at once are one attack: the limit for all of them holds.
                _byAddress.Clear();
            }

            _byAddress[network] = Next(_byAddress.GetValueOrDefault(network));
            _all = Next(_all);
        }
    }

    /// <summary>An attempt was right.</summary>
    public void Succeeded(IPAddress address)
    {
        lock (_gate)
        {
            _ = _byAddress.Remove(Network(address));
        }
    }

    /// <summary>What counts as one place: an IPv4 address, or the /64 of an IPv6 one.</summary>
    internal static IPAddress Network(IPAddress address)
    {
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    private Failures Next(Failures before) =>
        new(before.Count > 0 && time.GetElapsedTime(before.LastAt) > ForgottenAfter ? 1 : before.Count + 1, time.GetTimestamp());

    private TimeSpan Left(Failures failures, int free, TimeSpan longest)
    {
        if (failures.Count < free)
        {
            return TimeSpan.Zero;
        }

        var pause = TimeSpan.FromTicks(Math.Min(longest.Ticks, FirstPause.Ticks << Math.Min(16, failures.Count - free)));
        var left = pause - time.GetElapsedTime(failures.LastAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    private readonly record struct Failures(int Count, long LastAt);
}
