using PiPub.Node.Sentences;

namespace PiPub.Web.Dashboard;

/// <summary>A problem that the box had or has.</summary>
/// <param name="Words">What it is, and what to do about it.</param>
/// <param name="From">Since when.</param>
/// <param name="Until">When it was over; null while it is there.</param>
public sealed record PastProblem(Sentence Words, DateTimeOffset From, DateTimeOffset? Until);

/// <summary>The last problems of the box, also those that are over: a problem of last night is worth knowing in the morning.</summary>
public sealed class ProblemHistory(TimeProvider time)
{
    private const int Most = 20;

    private readonly Lock _gate = new();
    private readonly List<PastProblem> _problems = [];

    /// <summary>The last ones, the newest first.</summary>
    public IReadOnlyList<PastProblem> All()
    {
        lock (_gate)
        {
            return [.. Enumerable.Reverse(_problems)];
        }
    }

    /// <summary>Notes which problems there are now: new ones begin, others are over.</summary>
    public void Note(IReadOnlyList<Sentence> present)
    {
        ArgumentNullException.ThrowIfNull(present);
        var now = time.GetUtcNow();
        lock (_gate)
        {
            for (var i = 0; i < _problems.Count; i++)
            {
                if (_problems[i].Until is null)
                {
                    _problems[i] = present.FirstOrDefault(words => IsSame(words, _problems[i].Words)) is { } words
                        ? _problems[i] with { Words = words }
                        : _problems[i] with { Until = now };
                }
            }

            foreach (var words in present)
            {
                if (!_problems.Exists(problem => problem.Until is null && IsSame(problem.Words, words)))
                {
                    Add(new PastProblem(words, now, null));
                }
            }
        }
    }

    /// <summary>Notes something that went wrong once.</summary>
    public void Happened(Sentence words)
    {
        lock (_gate)
        {
            Add(new PastProblem(words, time.GetUtcNow(), time.GetUtcNow()));
        }
    }

    /// <summary>Only the figures in it may differ.</summary>
    private static bool IsSame(Sentence one, Sentence other) => one.Format == other.Format && one.IsVerbatim == other.IsVerbatim;

    private void Add(PastProblem problem)
    {
        _problems.Add(problem);
        if (_problems.Count > Most)
        {
            _problems.RemoveAt(0);
        }
    }
}
