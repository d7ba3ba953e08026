using PiPub.Node.Sentences;
using PiPub.Web.Dashboard;

namespace PiPub.Web.Tests.Dashboard;

public sealed class ProblemHistoryTests
{
    private static readonly Sentence Full = Sentence.Of($"full");
    private static readonly Sentence Lost = Sentence.Of($"lost");

    [Fact]
    public void A_problem_begins_ends_and_is_still_told_of()
    {
        var time = new PlayedTime();
        var history = new ProblemHistory(time);
        var from = time.GetUtcNow();
        history.Note([Full]);
        time.Advance(TimeSpan.FromMinutes(5));
        history.Note([Full, Lost]);
        history.Note([Lost]);
        Assert.Equal([new PastProblem(Lost, from + TimeSpan.FromMinutes(5), null), new PastProblem(Full, from, from + TimeSpan.FromMinutes(5))], history.All());
        history.Note([Full]);
        Assert.Equal(3, history.All().Count);
    }

    [Fact]
    public void A_problem_whose_figures_change_is_still_the_same_one()
    {
        var time = new PlayedTime();
        var history = new ProblemHistory(time);
        var from = time.GetUtcNow();
        history.Note([Sentence.Of($"{3} of {9} are here")]);
        time.Advance(TimeSpan.FromMinutes(5));
        history.Note([Sentence.Of($"{8} of {9} are here")]);
        Assert.Equal([new PastProblem(Sentence.Of($"{8} of {9} are here"), from, null)], history.All());
    }

    [Fact]
    public void Only_the_last_ones_are_kept()
    {
        var history = new ProblemHistory(TimeProvider.System);
        for (var i = 0; i < 100; i++)
        {
            history.Happened(Sentence.Of($"problem {i}"));
        }

        Assert.Equal(20, history.All().Count);
        Assert.Equal("problem 99", history.All()[0].Words.ToString());
        Assert.NotNull(history.All()[0].Until);
    }
}
