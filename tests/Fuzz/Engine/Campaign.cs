using System.Diagnostics;
using System.Text;

namespace PiPub.Fuzz;

/// <summary>What a campaign on one target came to.</summary>
internal sealed record CampaignReport(string Target, long Executions, TimeSpan Time, int Corpus, int Places, TimeSpan Slowest, IReadOnlyList<string> Findings);

/// <summary>One target, executed over and over for a while.</summary>
internal sealed class Campaign
{
    private const int MaxFindings = 5;

    private readonly FuzzTarget _target;
    private readonly int _seed;
    private readonly Corpus _corpus;
    private readonly RunningInput? _running;
    private readonly byte[] _name;
    private readonly byte[] _seen = new byte[Coverage.Size];
    private readonly List<byte[]> _inputs = [];
    private readonly List<string> _findings = [];
    private readonly HashSet<string> _kinds = [];
    private long _executions;
    private long _slowest;

    public Campaign(FuzzTarget target, int seed, RunningInput? running)
    {
        (_target, _seed, _running) = (target, seed, running);
        _corpus = new Corpus(target);
        _name = Encoding.ASCII.GetBytes(target.Name);
    }

    /// <summary>Executions so far: that it grows shows that nothing hangs.</summary>
    public long Executions => Volatile.Read(ref _executions);

    public CampaignReport Run(TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        foreach (var input in _corpus.All())
        {
            _ = Execute(input);
            _inputs.Add(input);
        }

        if (_inputs.Count == 0)
        {
            _inputs.Add([]);
        }

        var mutator = new Mutator(_seed, _target);
        while (clock.Elapsed < time && _findings.Count < MaxFindings)
        {
            for (var i = 0; i < 64; i++)
            {
                var input = mutator.Next(_inputs);
                if (Execute(input))
                {
                    _inputs.Add(input.ToArray());
                }
            }
        }

        clock.Stop();
        if (Coverage.IsOn)
        {
            _corpus.Keep(Smallest());
        }

        var places = _seen.Length - _seen.AsSpan().Count((byte)0);
        return new CampaignReport(_target.Name, _executions, clock.Elapsed, _inputs.Count, places, Stopwatch.GetElapsedTime(0, _slowest), _findings);
    }

    /// <summary>Executes every kept input once. Returns how many there were.</summary>
    public static int Replay(FuzzTarget target)
    {
        var count = 0;
        foreach (var input in new Corpus(target).All())
        {
            count++;
            target.Run(input);
        }

        return count;
    }

    /// <summary>True when the input went a way, or as often a way, as none before.</summary>
    private bool Execute(ReadOnlySpan<byte> input)
    {
        _running?.Begin(_name, input);
        Coverage.Clear();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var start = Stopwatch.GetTimestamp();
        try
        {
            _target.Run(input);
        }
        catch (Exception e)
        {
            Found(e, input);
        }

        _slowest = Math.Max(_slowest, Stopwatch.GetTimestamp() - start);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > _target.AllowedBytes(input.Length))
        {
            Found(new FindingException($"{allocated:N0} bytes of memory for {input.Length:N0} of input"), input);
        }

        _running?.End();
        Volatile.Write(ref _executions, _executions + 1);
        return Coverage.IsOn && IsNew(_seen);
    }

    private static bool IsNew(byte[] seen)
    {
        var isNew = false;
        var hits = Coverage.Hits;
        foreach (var i in Coverage.Touched)
        {
            var bucket = Bucket(hits[i]);
            if ((seen[i] & bucket) != bucket)
            {
                seen[i] |= bucket;
                isNew = true;
            }
        }

        return isNew;
    }

    /// <summary>How often, roughly: 0, 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more.</summary>
    private static byte Bucket(byte hits) => hits switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };

    /// <summary>Of what is known, the shortest inputs that together reach every place.</summary>
    private List<byte[]> Smallest()
    {
        var seen = new byte[Coverage.Size];
        foreach (var seed in _target.Seeds)
        {
            TryRun(seed);
            _ = ReachesNew(seen);
        }

        var kept = new List<byte[]>();
        foreach (var input in _inputs.OrderBy(static input => input.Length))
        {
            TryRun(input);
            if (ReachesNew(seen))
            {
                kept.Add(input);
            }
        }

        return kept;
    }

    private void TryRun(byte[] input)
    {
        Coverage.Clear();
        try
        {
            _target.Run(input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Reported when it was found.
        }
    }

    private static bool ReachesNew(byte[] seen)
    {
        var isNew = false;
        foreach (var i in Coverage.Touched)
        {
            if (seen[i] == 0)
            {
                seen[i] = 1;
                isNew = true;
            }
        }

        return isNew;
    }

    private void Found(Exception finding, ReadOnlySpan<byte> input)
    {
        // One of each kind: the same fault is found a thousand times.
        var kind = finding.GetType().Name + (finding is FindingException ? new string([.. finding.Message.Where(static c => !char.IsAsciiDigit(c))]) : finding.StackTrace?.Split('\n')[0]);
        if (_findings.Count < MaxFindings && _kinds.Add(kind))
        {
            var path = _corpus.KeepCrash(input);
            _findings.Add($"seed {_seed}, execution {_executions}, {input.Length} bytes kept in {path}\n{finding}");
        }
    }
}
