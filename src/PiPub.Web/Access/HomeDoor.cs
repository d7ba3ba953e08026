using System.Net;

namespace PiPub.Web.Access;

/// <summary>What a press of the box's button opens: for two minutes, and for those at home alone.</summary>
/// <param name="isAtHome">Whether an address is in one of the box's own subnets.</param>
/// <param name="time">The clock.</param>
public sealed class HomeDoor(Func<IPAddress, bool> isAtHome, TimeProvider time)
{
    /// <summary>For how long after a press it is open.</summary>
    public static readonly TimeSpan OpenFor = TimeSpan.FromMinutes(2);

    private readonly Lock _gate = new();
    private long? _pressedAt;

    /// <summary>The button was pressed.</summary>
    public void Press()
    {
        lock (_gate)
        {
            _pressedAt = time.GetTimestamp();
        }
    }

    /// <summary>Whether it is open now for somebody who comes from <paramref name="address"/>.</summary>
    public bool IsOpenFor(IPAddress address)
    {
        lock (_gate)
        {
            return _pressedAt is { } at && time.GetElapsedTime(at) < OpenFor && isAtHome(address);
        }
    }
}
