using System.Net;

namespace PiPub.Node.Reachability.Mapping;

/// <summary>One port of one address of this machine, kept mapped: asked for in one protocol after the other, renewed, given up.</summary>
internal sealed class PortLease(GatewayRoute route, int port, IReadOnlyList<IMappingClient> clients, MappingPace pace, TimeProvider time)
{
    private IMappingClient? _holder;
    private IMappingClient? _asked;
    private MappingAnswer? _held;
    private DateTimeOffset? _expiresAt;
    private int _failures;
    private bool _isSuspect;

    /// <summary>Where to.</summary>
    public GatewayRoute Route => route;

    /// <summary>The port here.</summary>
    public int Port { get; } = port;

    /// <summary>When to ask again.</summary>
    public DateTimeOffset DueAt { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>When it was asked last.</summary>
    public DateTimeOffset AskedAt { get; private set; } = DateTimeOffset.MinValue;

    /// <summary>The port out there to ask for; the last one granted.</summary>
    public int ExternalPort { get; set; } = port;

    /// <summary>In which protocol the router passes it on; null when it does not.</summary>
    public MappingProtocol? Protocol => _holder?.Protocol;

    /// <summary>The router's address out there, if it is known.</summary>
    public IPAddress? ExternalAddress => _held?.ExternalAddress;

    /// <summary>How the last asking in all protocols went.</summary>
    public IReadOnlyList<MappingAttempt> Attempts { get; private set; } = [];

    /// <summary>What the router passes on now; null when it does not.</summary>
    public PortMapping? Mapping =>
        _held is { } held && _holder is { } holder ? new PortMapping(holder.Protocol, Port, held.ExternalAddress, held.ExternalPort, _expiresAt) : null;

    /// <summary>Something has changed: ask at once, and do not trust that the old mapping still is there.</summary>
    public void Suspect()
    {
        _isSuspect = true;
        _failures = 0;
        DueAt = DateTimeOffset.MinValue;
    }

    /// <summary>The router may have forgotten it: ask soon, but not more often than the pace allows.</summary>
    public void Recall()
    {
        var soonest = AskedAt + pace.Shortest;
        DueAt = soonest < DueAt ? soonest : DueAt;
    }

    /// <summary>Renews the mapping if there is one, else asks for one in each protocol. Returns the router's epoch, if it told one.</summary>
    public async Task<(MappingProtocol Protocol, uint Epoch)?> AskAsync(CancellationToken cancellationToken)
    {
        AskedAt = time.GetUtcNow();
        if (_holder is { } holder)
        {
            var answer = await AskAsync(holder, cancellationToken);
            if (answer.Error is null)
            {
                return Hold(holder, answer, [.. Attempts.Where(attempt => attempt.Protocol != holder.Protocol), new MappingAttempt(holder.Protocol, null, true) { Family = route.Family }]);
            }

            if (!answer.IsAnswered && !_isSuspect && _expiresAt > time.GetUtcNow() + pace.Shortest)
            {
                // It was promised until then; a few lost packets are no reason to give it up.
                return Failed();
            }
        }

        var attempts = new List<MappingAttempt>(clients.Count);
        foreach (var client in clients)
        {
            if (!client.Serves(route.Family))
            {
                continue;
            }

            var answer = await AskAsync(client, cancellationToken);
            attempts.Add(new MappingAttempt(client.Protocol, answer.Error, answer.IsAnswered) { Family = route.Family });
            if (answer.Error is null)
            {
                return Hold(client, answer, attempts);
            }
        }

        Attempts = attempts;
        (_holder, _held, _expiresAt, _isSuspect) = (null, null, null, false);
        return Failed();
    }

    /// <summary>Takes the mapping back, or what may have become one.</summary>
    public Task ReleaseAsync(CancellationToken cancellationToken)
    {
        var client = _holder ?? _asked;
        (_holder, _held, _expiresAt, _asked) = (null, null, null, null);
        return client is null ? Task.CompletedTask : client.UnmapAsync(Request(), cancellationToken);
    }

    private async Task<MappingAnswer> AskAsync(IMappingClient client, CancellationToken cancellationToken)
    {
        _asked = client;
        var answer = await client.MapAsync(Request(), cancellationToken);
        _asked = null;
        return answer;
    }

    private MappingRequest Request() => new(route, Port, ExternalPort, _held?.ExternalAddress, pace.Lifetime);

    private (MappingProtocol, uint)? Hold(IMappingClient client, MappingAnswer answer, IReadOnlyList<MappingAttempt> attempts)
    {
        var now = time.GetUtcNow();
        (_holder, _held, _failures, _isSuspect, ExternalPort, Attempts) = (client, answer, 0, false, answer.ExternalPort, attempts);
        _expiresAt = answer.Lifetime is { } lifetime ? now + lifetime : null;

        var again = (answer.Lifetime / 2) ?? pace.Longest;
        again = client.LookAgain < again ? client.LookAgain.Value : again;
        again = again < pace.Longest ? again : pace.Longest;
        DueAt = now + (again > pace.Shortest ? again : pace.Shortest);
        return answer.Epoch is { } epoch ? (client.Protocol, epoch) : null;
    }

    private (MappingProtocol, uint)? Failed()
    {
        DueAt = time.GetUtcNow() + pace.PauseAfter(++_failures);
        return null;
    }
}
