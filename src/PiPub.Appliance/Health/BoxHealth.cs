using Microsoft.Extensions.Logging;

namespace PiPub.Appliance.Health;

/// <summary>One thing that must hold for the box to be well.</summary>
/// <param name="Name">A short name for programs: <c>page</c>, <c>peers</c>, <c>log</c>, <c>lights</c>.</param>
/// <param name="CheckAsync">Looks; returns what it saw, in words for a person, and throws when it does not hold.</param>
/// <param name="IsForWatchdog">Whether it is looked at all the time, too: it must be cheap and must not fail for a passing reason.</param>
public sealed record HealthCheck(string Name, Func<CancellationToken, Task<string>> CheckAsync, bool IsForWatchdog = true);

/// <summary>What a check found.</summary>
/// <param name="Name">The check's.</param>
/// <param name="IsGood">Whether it holds.</param>
/// <param name="Words">What was seen, or what is wrong, for a person.</param>
public sealed record HealthFinding(string Name, bool IsGood, string Words);

/// <summary>
/// Whether the box is well: what an update must show before it is kept, and what the watchdog wants to hear all the time.
/// </summary>
/// <param name="checks">All that must hold.</param>
/// <param name="logger">Told of failures.</param>
public sealed partial class BoxHealth(IReadOnlyList<HealthCheck> checks, ILogger<BoxHealth> logger)
{
    /// <summary>So long a check may take: an SD card that is written to is slow, and so is the first page after a start, on a machine that does other things too.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>What was wrong when it was looked at last; null when all was well, or nobody has looked.</summary>
    public string? LastProblem { get; private set; }

    /// <summary>Looks at everything, one after the other.</summary>
    public Task<IReadOnlyList<HealthFinding>> CheckAsync(CancellationToken cancellationToken) => CheckAsync(checks, cancellationToken);

    /// <summary>Looks at what is cheap. What is wrong, in words; null when all is well.</summary>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        foreach (var finding in await CheckAsync([.. checks.Where(static check => check.IsForWatchdog)], cancellationToken))
        {
            if (!finding.IsGood)
            {
                return finding.Words;
            }
        }

        return null;
    }

    private async Task<IReadOnlyList<HealthFinding>> CheckAsync(IReadOnlyList<HealthCheck> wanted, CancellationToken cancellationToken)
    {
        var findings = new List<HealthFinding>(wanted.Count);
        foreach (var check in wanted)
        {
            var finding = await CheckAsync(check, cancellationToken);
            if (!finding.IsGood)
            {
                Unwell(finding.Name, finding.Words);
            }

            findings.Add(finding);
        }

        LastProblem = findings.Find(static finding => !finding.IsGood)?.Words;
        return findings;
    }

    private static async Task<HealthFinding> CheckAsync(HealthCheck check, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            // A disk that hangs does not listen to tokens.
            return new HealthFinding(check.Name, true, await Task.Run(() => check.CheckAsync(limit.Token), cancellationToken).WaitAsync(limit.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new HealthFinding(check.Name, false, $"It did not answer within {Patience.TotalSeconds:0} seconds.");
        }
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            return new HealthFinding(check.Name, false, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The box is not well ({Check}): {Words}")]
    private partial void Unwell(string check, string words);
}
