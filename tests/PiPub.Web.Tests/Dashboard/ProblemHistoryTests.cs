using PiPub.Web.Dashboard;

namespace PiPub.Web.Tests.Dashboard;

public sealed class ProblemHistoryTests
{
    [Fact]
    public void A_problem_begins_ends_and_is_still_told_of()
    {
        var time = new PlayedTime();
        var history = new ProblemHistory(time);
        var from = time.GetUtcNow();
        history.Note(["full"]);
        time.Advance(TimeSpan.FromMinutes(5));
        history.Note(["full", "lost"]);
        history.Note(["lost"]);
        Assert.Equal([new PastProblem("lost", from + TimeSpan.FromMinutes(5), null), new PastProblem("full", from, from + TimeSpan.FromMinutes(5))], history.All());
        history.Note(["full"]);
        Assert.Equal(3, history.All().Count);
    }

    [Fact]
    public void Only_the_last_ones_are_kept()
    {
        var history = new ProblemHistory(TimeProvider.System);
        for (var i = 0; i < 100; i++)
        {
            history.Happened($"problem {i}");
        }

        Assert.Equal(20, history.All().Count);
        Assert.Equal("problem 99", history.All()[0].Words);
        Assert.NotNull(history.All()[0].Until);
    }
}
