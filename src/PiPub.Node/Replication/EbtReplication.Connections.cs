using PiPub.Node.Peers;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Replication;

/// <content>EBT for as long as a connection stands.</content>
public sealed partial class EbtReplication
{
    private static readonly TimeSpan LongestResumePause = TimeSpan.FromMinutes(1);

    /// <summary>Opens a session and stays until it ends; false where the peer has no EBT.</summary>
    private async Task<bool> TryOpenAsync(Peer peer, CancellationToken cancellationToken)
    {
        try
        {
            await RunLinkAsync(peer.Session, peer.Session.Open(Method, CallType.Duplex, OpenArgs), isClient: true, cancellationToken);
        }
        catch (RpcException e) when (e.IsMissingMethod)
        {
            return false;
        }
        catch (RpcException e)
        {
            LogEnded(peer.Id, e.Message);
        }

        return true;
    }

    /// <summary>
    /// Begins a session anew that ends while its connection stands. When two peers dial each other at once, the JavaScript stack ends
    /// its session of the connection that is kept for that of the one that is given up, and begins no other. The side that dialled is
    /// the first to try, so that two boxes do not end each other's sessions.
    /// </summary>
    private async Task KeepOpenAsync(Peer peer, CancellationToken cancellationToken)
    {
        var gate = GateOf(peer.Session);
        for (var pause = _options.ResumePause; ; pause = pause * 2 < LongestResumePause ? pause * 2 : LongestResumePause)
        {
            await gate.WhenClosed.WaitAsync(cancellationToken);
            await Task.Delay(peer.IsOutgoing ? pause : pause * 3, _time, cancellationToken);
            if (gate.WhenClosed.IsCompleted && !await TryOpenAsync(peer, cancellationToken))
            {
                return;
            }
        }
    }

    private EbtGate GateOf(IRpcSession session)
    {
        var gate = _gates.GetOrAdd(session, static (key, all) =>
        {
            key.Closed.UnsafeRegister(_ => all.TryRemove(key, out EbtGate? _), null);
            return new EbtGate();
        }, _gates);
        if (session.Closed.IsCancellationRequested)
        {
            _gates.TryRemove(session, out _);
        }

        return gate;
    }

    /// <summary>What a connection has been used for: EBT sessions, opened by either side, or createHistoryStream.</summary>
    private sealed class EbtGate
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _open;

        public EbtGate() => _closed.SetResult();

        public TaskCompletionSource EbtOpened { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource HistoryAsked { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Complete while no session is open.</summary>
        public Task WhenClosed
        {
            get
            {
                lock (_gate)
                {
                    return _closed.Task;
                }
            }
        }

        public void Opened()
        {
            lock (_gate)
            {
                if (_open++ == 0)
                {
                    _closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }

            EbtOpened.TrySetResult();
        }

        public void Closed()
        {
            lock (_gate)
            {
                if (--_open == 0)
                {
                    _closed.SetResult();
                }
            }
        }
    }
}
