using System.Runtime.CompilerServices;
using PiPub.Node.Intake;
using PiPub.Node.SocialGraph;
using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;
using PiPub.Storage;

namespace PiPub.Node.Replication;

/// <summary>
/// Serves createHistoryStream: a feed from a sequence on, strictly by sequence, and then what is appended to it. Clients
/// without EBT open one for every feed they follow, and keep it open.
/// </summary>
/// <remarks>
/// A stream that waits for new messages costs a small object; the appended messages find it by its feed. An author's feed
/// is not given to whom the author has blocked. Encrypted messages leave as they are.
/// Sources: ssb-db 20.4.1 indexes/clock.js; ssb-replicate 1.3.5 legacy.js; ssb-db2 8.1.0 compat/history-stream.js.
/// </remarks>
public sealed class HistoryStreams : IAppendObserver
{
    private readonly MessageStore _store;
    private readonly FollowGraph _graph;
    private readonly RecentMessages _recent = new();
    private readonly ConditionalWeakTable<IRpcSession, HistoryPump> _pumps = [];
    private readonly Lock _gate = new();
    private readonly Dictionary<FeedId, List<HistoryCursor>> _waiting = [];

    /// <summary>Serves what the store holds.</summary>
    public HistoryStreams(MessageStore store, FollowGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        (_store, _graph) = (store, graph);
        graph.EdgesChanged += EndBlocked;
    }

    /// <summary>Told when a peer (not the owner's tools) calls createHistoryStream: the sign of a peer without EBT.</summary>
    public Action<IRpcSession>? Asked { get; set; }

    /// <summary>Streams that wait for new messages.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_gate)
            {
                return _waiting.Values.Sum(waiting => waiting.Count);
            }
        }
    }

    /// <summary>Offers createHistoryStream.</summary>
    public void Register(RpcMethods methods)
    {
        ArgumentNullException.ThrowIfNull(methods);
        methods.Source("createHistoryStream", RpcCallers.Peer, ServeAsync);
    }

    /// <inheritdoc/>
    public void Appended(IReadOnlyList<LogRecord> records)
    {
        ArgumentNullException.ThrowIfNull(records);
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            for (var i = 0; i < records.Count; i++)
            {
                _recent.Add(records[i]);
            }

            for (var i = 0; i < records.Count; i++)
            {
                if (_waiting.Remove(records[i].Message.Author, out var cursors))
                {
                    foreach (var cursor in cursors)
                    {
                        cursor.Pump.Enqueue(cursor);
                    }
                }
            }
        }
    }

    /// <summary>Lets a stream wait for its feed's next message.</summary>
    internal void Park(HistoryCursor cursor)
    {
        lock (_gate)
        {
            if (cursor.IsDone)
            {
                return;
            }

            if (_store.SequenceOf(cursor.Feed) < cursor.Next)
            {
                if (!_waiting.TryGetValue(cursor.Feed, out var cursors))
                {
                    _waiting.Add(cursor.Feed, cursors = []);
                }

                cursors.Add(cursor);
                return;
            }
        }

        cursor.Pump.Enqueue(cursor); // Something was appended meanwhile.
    }

    internal bool IsWithheld(HistoryCursor cursor) =>
        cursor.Feed != _graph.Box && cursor.Pump.Peer != _graph.Box && _graph.IsBlocking(cursor.Feed, cursor.Pump.Peer);

    private async Task ServeAsync(RpcRequest request, RpcStream stream, CancellationToken cancellationToken)
    {
        var asked = HistoryRequest.Read(request);
        if (!request.IsOwner)
        {
            Asked?.Invoke(request.Session);
        }

        var pump = _pumps.GetValue(request.Session, session => new HistoryPump(this, _store, _recent, session.Remote));
        var next = Math.Max(asked.From, asked.Old ? 1 : _store.SequenceOf(asked.Feed) + 1);
        var cursor = new HistoryCursor(pump, stream, asked, next);
        if (IsWithheld(cursor))
        {
            return;
        }

        await using var ended = cancellationToken.UnsafeRegister(static cursor => ((HistoryCursor)cursor!).Finish(), cursor);
        pump.Enqueue(cursor);
        await cursor.Done;
        Unpark(cursor);
    }

    private void Unpark(HistoryCursor cursor)
    {
        lock (_gate)
        {
            if (_waiting.TryGetValue(cursor.Feed, out var cursors) && cursors.Remove(cursor) && cursors.Count == 0)
            {
                _waiting.Remove(cursor.Feed);
            }
        }
    }

    private void EndBlocked(IReadOnlyList<ContactChange> changes)
    {
        foreach (var change in changes)
        {
            if (change.Edge.State != ContactState.Blocking)
            {
                continue;
            }

            lock (_gate)
            {
                foreach (var cursor in _waiting.GetValueOrDefault(change.Edge.Author) ?? [])
                {
                    if (cursor.Pump.Peer == change.Edge.Contact && IsWithheld(cursor))
                    {
                        cursor.Finish();
                    }
                }
            }
        }
    }
}
