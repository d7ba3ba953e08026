using PiPub.Scuttlebutt.Identities;
using PiPub.Scuttlebutt.MuxRpc;

namespace PiPub.Node.Replication;

/// <summary>One createHistoryStream call: how far it has got. A peer may have thousands of them.</summary>
internal sealed class HistoryCursor(HistoryPump pump, RpcStream stream, HistoryRequest request, int next)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HistoryPump Pump => pump;

    public RpcStream Stream => stream;

    public FeedId Feed => request.Feed;

    public bool Live => request.Live;

    public bool Keys => request.Keys;

    public bool Values => request.Values;

    /// <summary>The next sequence to send.</summary>
    public int Next { get; set; } = next;

    /// <summary>How many may still be sent; negative for all.</summary>
    public long Left { get; set; } = request.Limit;

    /// <summary>Completes when nothing more will be sent.</summary>
    public Task Done => _done.Task;

    public bool IsDone => _done.Task.IsCompleted;

    public void Finish() => _done.TrySetResult();

    public void Fail(Exception error) => _done.TrySetException(error);
}
