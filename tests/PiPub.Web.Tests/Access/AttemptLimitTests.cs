using System.Net;
using PiPub.Web.Access;

namespace PiPub.Web.Tests.Access;

public class AttemptLimitTests
{
    private static readonly IPAddress Home = IPAddress.Parse("192.168.1.5");
    private readonly PlayedTime _time = new();
    private readonly AttemptLimit _limit;

    public AttemptLimitTests() => _limit = new AttemptLimit(_time);

    [Fact]
    public void A_few_wrong_ones_are_free_and_each_further_one_doubles_the_pause()
    {
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(TimeSpan.Zero, _limit.Wait(Home));
            _limit.Failed(Home);
        }

        foreach (var seconds in (int[])[5, 10, 20, 40])
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), _limit.Wait(Home));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal(TimeSpan.Zero, _limit.Wait(Home));
            _limit.Failed(Home);
        }
    }

    [Fact]
    public void No_pause_is_longer_than_an_hour()
    {
        for (var i = 0; i < 100; i++)
        {
            _limit.Failed(Home);
        }

        Assert.Equal(TimeSpan.FromHours(1), _limit.Wait(Home));
    }

    [Fact]
    public void A_right_one_clears_its_address_and_no_other()
    {
        var neighbour = IPAddress.Parse("192.168.1.6");
        for (var i = 0; i < 6; i++)
        {
            _limit.Failed(Home);
            _limit.Failed(neighbour);
        }

        _limit.Succeeded(Home);
        Assert.Equal(TimeSpan.Zero, _limit.Wait(Home));
        Assert.NotEqual(TimeSpan.Zero, _limit.Wait(neighbour));
    }

    [Fact]
    public void IPv6_addresses_count_by_their_subnet_and_mapped_ones_as_IPv4()
    {
        for (var i = 0; i < 6; i++)
        {
            _limit.Failed(IPAddress.Parse($"2001:db8:1:2::{i + 1}"));
            _limit.Failed(IPAddress.Parse("::ffff:192.168.1.5"));
        }

        Assert.NotEqual(TimeSpan.Zero, _limit.Wait(IPAddress.Parse("2001:db8:1:2:ffff::1")));
        Assert.Equal(TimeSpan.Zero, _limit.Wait(IPAddress.Parse("2001:db8:1:3::1")));
        Assert.NotEqual(TimeSpan.Zero, _limit.Wait(Home));
    }

    [Fact]
    public void Guessing_from_everywhere_slows_everybody_down_a_little()
    {
        for (var i = 0; i < 60; i++)
        {
            _limit.Failed(IPAddress.Parse($"10.0.{i}.1"));
        }

        Assert.InRange(_limit.Wait(Home), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.Zero, _limit.Wait(Home));
    }
}
