using PiPub.Web.Dashboard;

namespace PiPub.Web.Tests.Dashboard;

public sealed class FetchPaceTests
{
    private readonly PlayedTime _time = new();

    [Fact]
    public void Nothing_is_said_before_there_is_something_to_judge_by()
    {
        var pace = new FetchPace(_time);
        Assert.Null(pace.Read(0, 9000));
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Null(pace.Read(1000, 8000));
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.Equal(TimeSpan.FromSeconds(40), pace.Read(2000, 8000));
    }

    [Fact]
    public void It_follows_the_pace_of_the_last_two_minutes()
    {
        var pace = new FetchPace(_time);
        for (var i = 0; i < 60; i++)
        {
            _ = pace.Read(i * 1000, 1_000_000);
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        TimeSpan? last = null;
        for (var i = 0; i < 60; i++)
        {
            last = pace.Read(59_000 + i, 100);
            _time.Advance(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(TimeSpan.FromSeconds(500), last);
    }

    [Fact]
    public void When_nothing_comes_or_all_is_here_there_is_no_estimate()
    {
        var pace = new FetchPace(_time);
        _ = pace.Read(500, 10);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(pace.Read(500, 10));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null(pace.Read(510, 0));
        Assert.Null(pace.Read(20, 10));
    }
}
