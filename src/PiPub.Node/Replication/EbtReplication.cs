using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PiPub.Node.Intake;
using PiPub.Node.Peers;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Scuttlebutt.Replication;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>Takes a message in that a peer has sent: the intake's SubmitAsync.</summary>
public delegate ValueTask SubmitMessage(IMessageSource source, ReadOnlyMemory<byte> wireValue, CancellationToken cancellationToken);

/// <summary>
/// Replicates feeds with every connected peer by epidemic broadcast trees (<c>ebt.replicate</c>), and with those that
/// cannot by <see cref="HistoryPull"/>.
/// </summary>
/// <remarks>
/// The rules are <see cref="EbtTree"/>'s; here they meet streams, the store and the clock. One lock around the tree; two
/// tasks a session (one reads, one writes), none a message. The side that dialled opens the stream, the other speaks first.
/// A second session of a peer ends its first with <c>reconnected to peer</c>; a session that ends while its connection stands is
/// begun anew. Classic feeds only; other formats are refused.
/// Source: ssb-ebt 9.1.2 index.js.
/// </remarks>
public sealed partial class EbtReplication : IPeerService, IAppendObserver, IAsyncDisposable
{
    private const string Method = "ebt.replicate";

    private static readonly byte[] OpenArgs = """[{"version":3,"format":"classic"}]"""u8.ToArray();

    private readonly MessageStore _store;
    private readonly SubmitMessage _submit;
    private readonly FollowGraph _graph;
    private readonly IWantedFeeds _wanted;
    private readonly PeerMemories _memories;
    private readonly ReplicationOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly EbtTree _tree;
    private readonly Dictionary<FeedId, EbtLink> _links = [];
    private readonly ConcurrentDictionary<IRpcSession, EbtGate> _gates = new();
    private readonly RecentMessages _recent = new();
    private readonly ITimer _timer;
    private readonly long _start;
    private long _timerDue = long.MaxValue;
    private long _saveSoon;

    /// <summary>Replicates what <paramref name="wanted"/> says, from now on.</summary>
    /// <param name="store">What is here.</param>
    /// <param name="submit">Where messages go that arrive.</param>
    /// <param name="graph">Who blocks whom.</param>
    /// <param name="wanted">What is wanted.</param>
    /// <param name="memories">What peers told before.</param>
    /// <param name="options">How much at a time.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    /// <param name="isForked">Tells whether a feed has forked, so that no more of it is asked for.</param>
    /// <param name="claimed">Told of every peer's word on how far it has a feed: peer, feed, sequence. Must not block.</param>
    public EbtReplication(
        MessageStore store,
        SubmitMessage submit,
        FollowGraph graph,
        IWantedFeeds wanted,
        PeerMemories memories,
        ReplicationOptions options,
        TimeProvider time,
        ILogger<EbtReplication> logger,
        Func<FeedId, bool>? isForked = null,
        Action<FeedId, FeedId, int>? claimed = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(time);
        (_store, _submit, _graph, _wanted, _memories) = (store, submit, graph, wanted, memories);
        (_options, _time, _logger, _start) = (options, time, logger, time.GetTimestamp());
        IsForked = isForked ?? (static _ => false);
        _tree = new EbtTree(IsWithheld) { Claimed = claimed };
        _timer = time.CreateTimer(static state => ((EbtReplication)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        wanted.Changed += OnWantedChanged;
        graph.EdgesChanged += OnEdgesChanged;
        OnWantedChanged(new WantedChange(wanted.Wanted(), []));
    }

    private Func<FeedId, bool> IsForked { get; }

    private long Now => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    /// <summary>Offers ebt.replicate to peers and ebt.clock, and the owner's ebt.peerStatus.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Duplex(Method, RpcCallers.Peer, ServeAsync);
        methods.Async("ebt.clock", RpcCallers.Peer, (request, _) => new(EbtMethods.Clock(request, _store)));
        methods.Sync("ebt.peerStatus", RpcCallers.Owner, (request, _) => new(PeerStatus(request)));
    }

    /// <inheritdoc/>
    public async Task RunAsync(Peer peer, CancellationToken connectionEnded)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (!peer.IsOutgoing)
        {
            await WaitForEbtOrPullAsync(peer, connectionEnded);
            if (!GateOf(peer.Session).EbtOpened.Task.IsCompleted)
            {
                return;
            }
        }
        else if (!await TryOpenAsync(peer, connectionEnded))
        {
            await PullAsync(peer, connectionEnded);
            return;
        }

        await KeepOpenAsync(peer, connectionEnded);
    }

    /// <summary>A peer has called createHistoryStream, as those do that have no EBT.</summary>
    public void HistoryAsked(IRpcSession session) => GateOf(session).HistoryAsked.TrySetResult();

    /// <summary>The sessions as they stand.</summary>
    public IReadOnlyList<EbtSessionStatus> Sessions()
    {
        lock (_gate)
        {
            return [.. _tree.Sessions.Select(session => new EbtSessionStatus(session.Peer, session.IsClient, session.SentCount, session.ReceivedCount))];
        }
    }

    /// <summary>Stops the clock, and writes down what connected peers have told. Connections are ended by whoever holds them.</summary>
    public async ValueTask DisposeAsync()
    {
        _wanted.Changed -= OnWantedChanged;
        _graph.EdgesChanged -= OnEdgesChanged;
        await _timer.DisposeAsync();
        EbtLink[] links;
        lock (_gate)
        {
            links = [.. _links.Values];
        }

        foreach (var link in links)
        {
            Remember(link);
        }
    }

    private async Task ServeAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        EbtMethods.CheckReplicateArgs(request);
        await RunLinkAsync(request.Session, stream, isClient: false, cancellationToken);
    }

    private async Task RunLinkAsync(IRpcSession connection, RpcStream stream, bool isClient, CancellationToken cancellationToken)
    {
        var peer = connection.Remote;
        var memory = _memories.Load(peer);
        var link = new EbtLink(this, stream);
        var gate = GateOf(connection);
        gate.Opened();
        EbtLink? former;
        lock (_gate)
        {
            var now = Now;
            if (_links.Remove(peer, out former))
            {
                _tree.Close(former.Session, now);
                memory = _tree.Remember(former.Session);
            }

            link.Session = _tree.Open(peer, isClient, memory, link.Wake, now);
            _links.Add(peer, link);
            ArmTimer();
        }

        former?.End(new RpcException("reconnected to peer"));
        LogOpened(peer, isClient, _tree.WantedCount);
        try
        {
            await link.RunAsync(cancellationToken);
        }
        finally
        {
            bool isLast;
            lock (_gate)
            {
                _tree.Close(link.Session, Now);
                isLast = _links.GetValueOrDefault(peer) == link && _links.Remove(peer);
                ArmTimer();
            }

            if (isLast)
            {
                Remember(link);
            }

            gate.Closed();
            LogClosed(peer, link.Session.SentCount, link.Session.ReceivedCount);
        }
    }

    private RpcBody PeerStatus(RpcRequest request)
    {
        var given = request.Arg(0);
        var feed = given.ValueKind == System.Text.Json.JsonValueKind.String && FeedId.TryParse(given.GetString(), out var parsed) ? parsed : _graph.Box;
        lock (_gate)
        {
            return EbtMethods.PeerStatus(feed, _store.SequenceOf(feed), _tree);
        }
    }

    private bool IsWithheld(FeedId author, FeedId peer) =>
        author != _graph.Box && author != peer && peer != _graph.Box && _graph.IsBlocking(author, peer);

    [LoggerMessage(Level = LogLevel.Debug, Message = "EBT with {Peer} began (opened by us: {IsClient}); {Wanted} feeds are wanted.")]
    private partial void LogOpened(FeedId peer, bool isClient, int wanted);

    [LoggerMessage(Level = LogLevel.Debug, Message = "EBT with {Peer} is over: {Sent} messages sent, {Received} received.")]
    private partial void LogClosed(FeedId peer, long sent, long received);

    [LoggerMessage(Level = LogLevel.Debug, Message = "EBT with {Peer} ended: {Reason}")]
    private partial void LogEnded(FeedId peer, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message of {Feed} that peers asked for cannot be read from the log; `pipub verify` tells what is damaged.")]
    private partial void LogUnreadable(Exception e, FeedId feed);
}
