namespace PiPub.Node.Reachability.Mapping;

/// <summary>
/// Notices that a router has forgotten its mappings: the seconds that it counts since it began run differently from the clock here.
/// </summary>
/// <remarks>
/// Source: RFC 6887 section 8.5 (PCP: both directions, a sixteenth and two seconds are forgiven), RFC 6886 section 3.6 (NAT-PMP: only
/// falling behind, an eighth and two seconds are forgiven).
/// </remarks>
internal sealed class GatewayEpoch(bool isNatPmp, TimeProvider time)
{
    private (uint Epoch, long At)? _last;

    /// <summary>Takes note of what the router counts now, and tells whether it began anew since the last time.</summary>
    public bool HasBegunAnew(uint epoch)
    {
        var now = time.GetTimestamp();
        var last = _last;
        _last = (epoch, now);
        if (last is not { } before)
        {
            return false;
        }

        var here = (long)time.GetElapsedTime(before.At, now).TotalSeconds;
        var there = (long)epoch - before.Epoch;
        return isNatPmp
            ? there + 2 < here * 7 / 8
            : there < -1 || here + 2 < there - (there / 16) || there + 2 < here - (here / 16);
    }
}
