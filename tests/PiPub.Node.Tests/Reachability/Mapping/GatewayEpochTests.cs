using PiPub.Node.Reachability.Mapping;
using PiPub.Node.Tests.Peers;

namespace PiPub.Node.Tests.Reachability.Mapping;

/// <summary>Source: RFC 6887 section 8.5, RFC 6886 section 3.6.</summary>
public sealed class GatewayEpochTests
{
    [Theory]
    [InlineData(false, 1600, false)] // six hundred seconds later, exactly
    [InlineData(false, 1570, false)] // within a sixteenth
    [InlineData(false, 1630, false)]
    [InlineData(false, 1550, true)]
    [InlineData(false, 1650, true)]
    [InlineData(false, 3, true)]
    [InlineData(true, 1600, false)]
    [InlineData(true, 1530, false)] // within an eighth
    [InlineData(true, 9999, false)] // only falling behind counts
    [InlineData(true, 1520, true)]
    [InlineData(true, 3, true)]
    public void A_router_whose_seconds_run_differently_has_begun_anew(bool isNatPmp, uint epoch, bool hasBegunAnew)
    {
        var time = new ManualTime();
        var known = new GatewayEpoch(isNatPmp, time);
        Assert.False(known.HasBegunAnew(1000));
        time.Advance(TimeSpan.FromSeconds(600));
        Assert.Equal(hasBegunAnew, known.HasBegunAnew(epoch));
        Assert.False(known.HasBegunAnew(epoch));
    }

    [Fact]
    public void Answers_in_the_same_second_may_come_in_the_wrong_order()
    {
        var known = new GatewayEpoch(false, new ManualTime());
        Assert.False(known.HasBegunAnew(1000));
        Assert.False(known.HasBegunAnew(999));
        Assert.False(known.HasBegunAnew(1000));
    }

    [Fact]
    public void Seconds_may_be_any_number()
    {
        var known = new GatewayEpoch(false, new ManualTime());
        Assert.False(known.HasBegunAnew(uint.MaxValue));
        Assert.True(known.HasBegunAnew(0));
        Assert.True(known.HasBegunAnew(uint.MaxValue));
    }
}
